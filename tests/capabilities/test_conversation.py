"""Several turns about a picture: read once, told to the model in order, bounded; and pictures described."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from kuamo.capabilities.caption import caption
from kuamo.capabilities.conversation import AskRequest, Conversation, Turn, ask
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Line, Message, Reading, Trace
from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings

WITNESS = {
    "name": "witness",
    "capabilities": ["answer"],
    "engine": "test_conversation:Witness",
    "source": "package:test_conversation",
    "profiles": ["nano"],
}
BLANK = Image(np.full((120, 160, 3), 255, np.uint8))
READ = Trace("read", "rapidocr", "package:rapidocr", "1", "cpu", "fp32", 0.0)


class Witness:
    """A model that tells the conversation it is given, each picture as its size; or nothing, when told so."""

    device = "cpu"
    precision = "fp32"

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        return cls()

    def answer(self, request: ChatRequest) -> Iterator[str]:
        if request.messages[-1].text == "say nothing":
            return
        for message in request.messages:
            yield f"[{message.role}] "
            yield "".join(f"<{image.width}x{image.height}> " for image in message.images)
            yield message.text + " "


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    """Models with the witness."""
    built = Models(Catalogue.load([WITNESS]), Settings())
    yield built
    built.close()


@pytest.fixture(scope="module")
def llava(checkpoint: Callable[[str], Path]) -> Iterator[Models]:
    """Models with a small LLaVA that sees."""
    row = {
        "name": "small-llava", "capabilities": ["answer"], "source": str(checkpoint("llava")), "profiles": ["nano"],
        "engine": "kuamo.engines.answer.vision_language:VisionLanguage", "languages": ["en", "zh"],
    }  # fmt: skip
    built = Models(Catalogue.load([row]), Settings(models={"answer": "small-llava"}))
    yield built
    built.close()


def take(question: str, models: Models, conversation: Conversation | None = None, **options: Any) -> Turn:
    request = AskRequest(image=BLANK, question=question, conversation=conversation or Conversation(), **options)
    return ask(request, models).result()


def label(text: str, top: int) -> Line:
    return Line(text, ((10, top), (150, top), (150, top + 20), (10, top + 20)), 0.99)


def read_before(*texts: str) -> Conversation:
    """A conversation about a picture in which these lines were read."""
    return Conversation(reading=Reading(tuple(label(text, 30 * row) for row, text in enumerate(texts)), (READ,)))


def test_the_model_is_told_the_turns_in_order_with_the_picture_in_the_first(models: Models) -> None:
    first = take("What is it?", models)
    assert first.reply.text == "[user] <160x120> What is it?"
    second = take("它是什么颜色的？", models, first.conversation)
    assert second.reply.text == (
        "[user] <160x120> What is it? [assistant] [user] <160x120> What is it? [user] 它是什么颜色的？"
    )
    assert [message.role for message in second.conversation.messages] == ["user", "assistant"] * 2
    assert not any(message.images for message in second.conversation.messages)
    assert first.conversation.messages == second.conversation.messages[:2]


def test_a_picture_is_read_once(models: Models, data: Path) -> None:
    ticket = Image(read_image(data / "images" / "wifi_ticket.jpg", Limits()).pixels[330:610])
    first = ask(AskRequest(image=ticket, question="What is the username?"), models).result()
    assert (first.reply.text, first.reply.places[0].text) == ("fqpp", "Username: fqpp")
    assert first.reply.traces[0].seconds > 0
    # the second picture has no text: what is answered was read in the first
    second = take("And the password?", models, first.conversation)
    assert (second.reply.text, second.reply.places[0].text) == ("aaeu", "Password: aaeu")
    assert [trace.seconds for trace in second.reply.traces] == [0.0]
    third = take("What colour is the paper?", models, second.conversation)
    assert "Password: aaeu\n" in third.reply.text
    assert [trace.model for trace in third.reply.traces] == ["rapidocr", "witness"]
    assert third.conversation.reading == second.conversation.reading


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("and the password?", "aaeu"), ("那密码呢？", "aaeu"), ("好的，那密码呢？", "aaeu"), ("密码又是多少", "aaeu"),
        ("how about the traffic?", "1 GB"), ("然后流量呢", "1 GB"), ("the username too, please", "fqpp"),
    ],
)  # fmt: skip
def test_what_follows_a_question_may_be_short(question: str, text: str, models: Models) -> None:
    ticket = read_before("Username: fqpp", "Password: aaeu", "Traffic: 1 GB")
    first = take("What is the username?", models, ticket)
    assert take(question, models, first.conversation).reply.text == text


@pytest.mark.parametrize("question", ["and the weather?", "那天气呢？", "what about it?", "And why?"])
def test_what_the_picture_does_not_label_is_asked_of_the_model(question: str, models: Models) -> None:
    turn = take(question, models, read_before("Username: fqpp", "Password: aaeu"))
    assert turn.reply.traces[-1].model == "witness"


def test_a_model_named_answers_for_itself_and_nothing_is_read(models: Models) -> None:
    turn = take("What is the password?", models, model="witness")
    assert turn.reply.traces[0].model == "witness"
    assert turn.conversation.reading is None


def test_a_long_conversation_keeps_its_end(models: Models) -> None:
    conversation = read_before("Password: aaeu")
    for turn in range(25):
        conversation = take(f"Password? {'?' * turn}", models, conversation).conversation
    assert len(conversation.messages) == 40
    assert conversation.messages[0] == Message("user", "Password? ?????")
    brief = Models(models.catalogue, Settings(limits=Limits(characters=40)))
    kept = take("And the password?", brief, conversation).conversation.messages
    assert [message.text for message in kept] == ["And the password?", "aaeu"]
    brief.close()


@pytest.mark.parametrize(
    ("question", "code"), [(" \n", "text_empty"), ("好" * 100_000, "text_too_long"), ("say nothing", "reply_empty")]
)
def test_a_question_that_fails_leaves_the_conversation_as_it_was(question: str, code: str, models: Models) -> None:
    before = take("What is it?", models).conversation
    with pytest.raises(KuamoError) as error:
        take(question, models, before)
    assert error.value.code == code
    assert take("And now?", models, before).conversation.messages[:2] == before.messages


def test_a_turn_closed_early_frees_the_model(models: Models) -> None:
    ask(AskRequest(image=BLANK, question="What is it?", model="witness"), models).close()
    assert take("What is it?", models, model="witness").reply.text


def test_a_checkpoint_of_the_real_architecture_talks_until_its_window_is_full(llava: Models) -> None:
    turn = (Message("user", "What is in this picture?"), Message("assistant", "A red car stands on the road."))
    assert take("What is beside it?", llava, Conversation(turn)).conversation.messages[:2] == turn
    with pytest.raises(KuamoError) as error:
        take("What is beside it?", llava, Conversation(turn * 18))
    assert error.value.code == "conversation_too_long"
    assert "start anew" in error.value.hint("en")
    assert "重新开始" in error.value.hint("zh")


def test_a_picture_is_described_without_being_read(models: Models) -> None:
    described = caption(BLANK, models, "zh")
    assert described.text == "[user] <160x120> 描述一下这张图片。"
    assert [trace.capability for trace in described.traces] == ["answer"]
    assert caption(BLANK, models, "en").text == "[user] <160x120> Describe the picture."


def test_a_checkpoint_describes_a_picture_alike_each_time(llava: Models) -> None:
    noise = Image(np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    described = caption(noise, llava, "en")
    assert described.text
    assert described.text == caption(noise, llava, "en").text
    assert described.text != caption(BLANK, llava, "en").text


def test_where_no_model_sees_the_caption_is_refused() -> None:
    blind = Models(Catalogue([model for model in Catalogue.load().models if model.name == "espeak"], ()), Settings())
    with pytest.raises(KuamoError) as error:
        caption(BLANK, blind, "en")
    assert error.value.code == "no_model"
