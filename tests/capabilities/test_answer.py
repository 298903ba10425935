"""A question about a picture: read where a label has it, else a model that sees; engines never leased together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

import screens
from kuamo.capabilities.answer import READ_CHARACTERS, answer
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Message
from kuamo.errors import KuamoError
from kuamo.media.image import Image, from_pil, read_image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings

SEER = {
    "name": "seer",
    "capabilities": ["answer"],
    "engine": "test_answer:Seer",
    "source": "package:test_answer",
    "memory_mb": 500,
    "profiles": ["nano"],
}
BLANK = Image(np.full((120, 160, 3), 255, np.uint8))


class Seer:
    """A model that sees: it tells the size of each picture and repeats the last message."""

    device = "cpu"
    precision = "fp32"

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        return cls()

    def answer(self, request: ChatRequest) -> Iterator[str]:
        sizes = [f"{image.width}x{image.height}" for message in request.messages for image in message.images]
        yield f"{' '.join(sizes) or 'nothing'}: "
        yield request.messages[-1].text


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    """Models with the seer."""
    built = Models(Catalogue.load([SEER]), Settings())
    yield built
    built.close()


@pytest.fixture(scope="module")
def unseeing() -> Iterator[Models]:
    """Models of a profile in which none sees."""
    seeing = [model for model in Catalogue.load().models if "answer" not in model.capabilities]
    built = Models(Catalogue(seeing, ()), Settings())
    yield built
    built.close()


@pytest.fixture(scope="module")
def ticket(data: Path) -> Image:
    """The part of the photographed ticket that has the labels."""
    return Image(read_image(data / "images" / "wifi_ticket.jpg", Limits()).pixels[330:610])


def ask(question: str, *images: Image, **options: Any) -> ChatRequest:
    return ChatRequest(messages=(Message("user", question, images),), **options)


@pytest.mark.parametrize("question", ["What is the password?", " 密码是\n什么? "])
def test_a_label_is_read_and_its_place_marked(question: str, ticket: Image, models: Models) -> None:
    stream = answer(ask(question, ticket), models)
    assert list(stream) == ["aaeu"]
    answered = stream.result()
    assert answered.text == "aaeu"
    assert [place.text for place in answered.places] == ["Password: aaeu"]
    assert all(0 <= x <= ticket.width and 45 < y < 95 for x, y in answered.places[0].corners)
    assert [(trace.capability, trace.model) for trace in answered.traces] == [("read", "rapidocr")]


@pytest.mark.skipif(not screens.HAS_FONT, reason="the font for Chinese letters (fonts-noto-cjk) is not installed")
def test_two_labels_give_two_places(models: Models) -> None:
    phone = from_pil(screens.phone_settings("zh", width=390))
    answered = answer(ask("这是什么型号，系统版本是多少？", phone), models).result()
    assert answered.text == "型号: iPhone 15 Pro; 系统版本: 17.4.1"
    assert [place.text.strip(" >") for place in answered.places] == ["iPhone 15 Pro", "17.4.1"]


def test_other_questions_go_to_a_model_that_is_told_the_text(ticket: Image) -> None:
    models = Models(Catalogue.load([SEER]), Settings(memory_gb=0.75))  # the reader or the seer, never both
    answered = answer(ask("What colour is the paper?", ticket), models).result()
    assert answered.text.startswith("672x280: ")
    assert "Password: aaeu\n" in answered.text
    assert answered.text.endswith("\n\nQuestion: What colour is the paper?")
    assert answered.places == ()
    assert [trace.model for trace in answered.traces] == ["rapidocr", "seer"]
    assert models.loaded() == ("seer",)  # the reader's lease had ended, else this would wait for ever
    models.close()


def test_what_a_model_is_told_is_short(models: Models) -> None:
    from PIL import Image as Pil
    from PIL import ImageDraw, ImageFont

    picture = Pil.new("RGB", (900, 700), "white")
    for row in range(30):
        ImageDraw.Draw(picture).text(
            (10, 10 + 22 * row), "lorem ipsum dolor sit amet " * 4, "black", ImageFont.load_default(16)
        )
    told = answer(ask("What is it about?", from_pil(picture)), models).result().text
    assert READ_CHARACTERS < len(told) < READ_CHARACTERS + 120


def test_a_picture_without_text_is_asked_as_it_is(models: Models) -> None:
    answered = answer(ask("这是什么？", BLANK), models).result()
    assert answered.text == "160x120: 这是什么？"


def test_a_named_model_answers_for_itself(ticket: Image, models: Models) -> None:
    answered = answer(ask("What is the password?", ticket, model="seer"), models).result()
    assert answered.text == "672x280: What is the password?"
    assert [trace.model for trace in answered.traces] == ["seer"]


def test_the_operators_choice_still_reads_labels_first(ticket: Image) -> None:
    models = Models(Catalogue.load([SEER | {"profiles": []}]), Settings(models={"answer": "seer"}))
    assert answer(ask("What is the password?", ticket), models).result().text == "aaeu"
    assert answer(ask("What is it made of?", ticket), models).result().traces[-1].model == "seer"
    models.close()


def test_the_picture_may_be_in_an_earlier_message(ticket: Image, models: Models) -> None:
    messages = (
        Message("user", "What is the username?", (ticket,)),
        Message("assistant", "fqpp"),
        Message("user", "And the password?"),
    )
    assert answer(ChatRequest(messages=messages), models).result().text == "aaeu"


def test_without_a_picture_or_with_several_nothing_is_read(ticket: Image, models: Models) -> None:
    assert answer(ask("What is the password?"), models).result().text == "nothing: What is the password?"
    several = answer(ask("What is the password?", ticket, BLANK), models).result()
    assert several.text == "672x280 160x120: What is the password?"
    assert [trace.model for trace in several.traces] == ["seer"]


def test_where_no_model_sees_labels_are_still_read(ticket: Image, unseeing: Models) -> None:
    assert answer(ask("Traffic?", ticket), unseeing).result().text == "1 GB"
    with pytest.raises(KuamoError) as error:
        answer(ask("What colour is the paper?", ticket), unseeing)
    assert error.value.code == "no_model"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ask("", BLANK), "text_empty"),
        (ask(" \n\u200b", BLANK), "text_empty"),
        (ask("密" * 100_000, BLANK), "text_too_long"),
        (ChatRequest(messages=()), "text_empty"),
        (ChatRequest(messages=(Message("assistant", "hello"),)), "text_empty"),
        (ask("What is it?", BLANK, model="nobody"), "unknown_model"),
    ],
)
def test_bad_requests_fail_before_anything_is_streamed(request_: ChatRequest, code: str, models: Models) -> None:
    with pytest.raises(KuamoError) as error:
        answer(request_, models)
    assert error.value.code == code


def test_a_stream_closed_early_frees_the_model(models: Models) -> None:
    answer(ask("What is it?", BLANK, model="seer"), models).close()
    assert answer(ask("Again?", BLANK, model="seer"), models).result().text.endswith("Again?")
