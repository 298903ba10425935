"""A turn with the assistant, through the real engines that hear, read and speak and a made-up one that chats."""

import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.capabilities.assistant import SENTENCE, Heard, Said, Sounded, Turn, TurnRequest, sentences, talk
from kuamo.capabilities.conversation import Conversation
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Message, SpeakRequest, SpeechChunk
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, read_audio
from kuamo.media.image import read_image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings

CONFIDANT = {
    "name": "confidant",
    "capabilities": ["chat"],
    "engine": "test_assistant:Confidant",
    "source": "package:test_assistant",
    "memory_mb": 200,
    "profiles": ["nano"],
}
DRAWLER = {
    **CONFIDANT, "name": "drawler", "capabilities": ["speak"], "engine": "test_assistant:Drawler", "memory_mb": 1
}  # fmt: skip


class Confidant:
    """A chat model that says what it was told: the style, the turns before, and the last words."""

    device = "cpu"
    precision = "fp32"
    closed = 0
    sounded = threading.Event()

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        return cls()

    def chat(self, request: ChatRequest) -> Iterator[str]:
        style, *_, last = request.messages
        turns = sum(message.role == "user" for message in request.messages)
        try:
            if last.text == "say nothing":
                yield " ... "
            elif last.text == "never end":
                while True:
                    yield "On and on. "
            elif last.text == "wait until you are heard":
                yield "One. Two"
                assert self.sounded.wait(60)
                yield ". Three."
            elif sum(len(message.text) for message in request.messages) > 1000:
                raise KuamoError("conversation_too_long", tokens=1001, window=1000)
            elif "语音助手" in style.text:
                yield f"这是第{turns}句。"
                yield f"你说：{last.text}。"
            else:
                yield f"This is turn {turns}. "
                yield f"You said: {last.text}."
        finally:
            Confidant.closed += 1


class Drawler:
    """A voice that waits until it may speak: a click of 10 ms for each sentence."""

    device = "cpu"
    precision = "fp32"
    may_speak = threading.Event()

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        return cls()

    def speak(self, request: SpeakRequest) -> Iterator[SpeechChunk]:
        assert self.may_speak.wait(60)
        yield SpeechChunk(Audio(np.ones(160, np.float32), 16_000))


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    """Models with the confidant; the memory holds it or an engine that hears, never both."""
    built = Models(Catalogue.load([CONFIDANT]), Settings(memory_gb=0.24))
    yield built
    built.close()


def take(request: TurnRequest, models: Models) -> tuple[list[Any], Turn]:
    stream = talk(request, models)
    events = list(stream)
    return events, stream.result()


def sound(seconds: float, level: float) -> Audio:
    noise = np.random.default_rng(3).normal(0, 1, round(16_000 * seconds))
    return Audio((level * noise).astype(np.float32), 16_000)


@pytest.mark.parametrize(
    ("text", "language", "reply"),
    [
        ("Good morning", None, "This is turn 1. You said: Good morning."),
        ("早上好", None, "这是第1句。你说：早上好。"),
        ("OK", "zh", "这是第1句。你说：OK。"),
    ],
)
def test_text_is_answered_in_text_then_in_speech(text: str, language: str | None, reply: str, models: Models) -> None:
    events, turn = take(TurnRequest(text=text, language=language), models)
    assert isinstance(events[0], Said)
    assert "".join(event.text for event in events if isinstance(event, Said)) == reply == turn.reply.text
    assert turn.heard is None
    assert turn.conversation.messages == (Message("user", text), Message("assistant", reply))
    spoken = [event.chunk for event in events if isinstance(event, Sounded)]
    assert len(spoken) == len(sentences(reply))
    assert turn.audio.seconds == pytest.approx(sum(chunk.audio.seconds for chunk in spoken))
    assert float(np.abs(turn.audio.samples).max()) > 0.05
    assert [trace.model for trace in turn.traces] == ["confidant", "espeak"]
    assert turn.stages.heard_seconds is None
    assert 0 <= turn.stages.first_text_seconds <= turn.stages.first_sound_seconds


def test_speech_begins_with_the_first_sentence_while_the_rest_is_written(models: Models) -> None:
    Confidant.sounded.clear()
    events = []
    roomy = Models(models.catalogue, Settings())
    with closing(talk(TurnRequest(text="wait until you are heard"), roomy)) as stream:
        for event in stream:
            events.append(event)
            if isinstance(event, Sounded):
                Confidant.sounded.set()
    kinds = [type(event) for event in events]
    assert kinds == [Said, Sounded, Said, Sounded, Sounded]
    assert "".join(event.text for event in events if isinstance(event, Said)) == "One. Two. Three."
    words = [word.text for event in events if isinstance(event, Sounded) for word in event.chunk.words]
    assert words == ["One", "Two", "Three"]
    roomy.close()


def test_a_slow_voice_does_not_hold_up_the_text() -> None:
    Drawler.may_speak.clear()
    models = Models(Catalogue.load([CONFIDANT, DRAWLER]), Settings())
    events = []
    with closing(talk(TurnRequest(text="hi"), models)) as stream:
        for event in stream:
            events.append(event)
            if isinstance(event, Said) and event.text == "You said: hi.":
                Drawler.may_speak.set()
    assert [type(event) for event in events] == [Said, Said, Sounded, Sounded]
    models.close()


def test_words_of_the_speech_are_timed_within_the_whole(models: Models) -> None:
    _, turn = take(TurnRequest(text="Good morning"), models)
    words = turn.speech.words
    assert [word.text.strip(".:").lower() for word in words][:4] == ["this", "is", "turn", "1"]
    starts = [word.start_seconds for word in words]
    assert starts == sorted(starts)
    first, _, _ = turn.reply.text.partition(". ")
    alone = take(TurnRequest(text="x"), models)[1].speech.words[: len(first.split())]
    assert words[len(alone)].start_seconds > alone[-1].end_seconds - 0.01
    assert words[-1].end_seconds <= turn.audio.seconds + 0.001


def test_a_conversation_goes_on(models: Models) -> None:
    _, first = take(TurnRequest(text="one"), models)
    _, second = take(TurnRequest(text="two", conversation=first.conversation), models)
    assert second.reply.text.startswith("This is turn 2.")
    assert [message.role for message in second.conversation.messages] == ["user", "assistant"] * 2


def test_a_long_conversation_keeps_its_end(models: Models) -> None:
    earlier = Conversation((Message("user", "a"), Message("assistant", "b")) * 24)
    _, turn = take(TurnRequest(text="last", conversation=earlier), models)
    assert len(turn.conversation.messages) == 40
    assert turn.conversation.messages[0].role == "user"
    assert turn.conversation.messages[-2].text == "last"


def test_what_the_model_has_no_room_for_is_forgotten(models: Models) -> None:
    earlier = Conversation((Message("user", "a" * 300), Message("assistant", "b" * 100)) * 4)
    _, turn = take(TurnRequest(text="go on", conversation=earlier), models)
    assert turn.reply.text == "This is turn 3. You said: go on."
    assert len(turn.conversation.messages) == 6
    with pytest.raises(KuamoError) as error:
        take(TurnRequest(text="c" * 1001), models)
    assert error.value.code == "conversation_too_long"


def test_voice_and_speed_reach_the_speech(models: Models) -> None:
    _, slow = take(TurnRequest(text="Good morning", speed=0.7), models)
    _, fast = take(TurnRequest(text="Good morning", speed=1.6), models)
    assert slow.audio.seconds > 1.5 * fast.audio.seconds
    with pytest.raises(KuamoError) as error:
        take(TurnRequest(text="Good morning", voice="nobody"), models)
    assert error.value.code == "unknown_voice"


def test_a_recording_is_heard_answered_and_spoken(data: Path, models: Models) -> None:
    said = read_audio(data / "speech" / "librispeech-1995-1837-0001.wav", Limits()).at(16_000)
    silence = np.zeros(16_000 * 2, np.float32)
    recording = Audio(np.concatenate([silence, said.samples, silence]), 16_000)
    events, turn = take(TurnRequest(audio=recording), models)
    heard = events[0]
    assert isinstance(heard, Heard)
    assert turn.heard is not None
    assert heard.text == turn.heard.text == turn.conversation.messages[0].text
    assert {"great", "sorrow", "life"} <= set(heard.text.lower().split())
    assert 1.9 < turn.heard.words[0].start_seconds < 3.5  # of the recording, not of the part that was cut out
    assert turn.heard.words[-1].end_seconds < 2.1 + said.seconds
    assert turn.reply.text == f"This is turn 1. You said: {heard.text}."
    assert [trace.capability for trace in turn.traces] == ["detect", "transcribe", "chat", "speak"]
    assert turn.stages.heard_seconds is not None
    assert 0 < turn.stages.heard_seconds <= turn.stages.first_text_seconds <= turn.stages.first_sound_seconds


def test_a_picture_is_read(data: Path, models: Models) -> None:
    ticket = read_image(data / "images" / "wifi_ticket.jpg", Limits())
    roomy = Models(models.catalogue, Settings(memory_gb=1))
    events, turn = take(TurnRequest(text="密码是什么？", image=ticket), roomy)
    assert events[0] == Said("aaeu")
    assert turn.reply.places[0].text == "Password: aaeu"
    assert [trace.model for trace in turn.traces] == ["rapidocr", "espeak"]
    _, later = take(TurnRequest(text="And the username?", image=ticket, conversation=turn.conversation), roomy)
    assert later.reply.text == "fqpp"
    assert [trace.seconds for trace in later.traces if trace.capability == "read"] == [0.0]  # it was read once
    roomy.close()


@pytest.mark.parametrize(
    ("text", "code"), [("", "text_empty"), (" \t\n", "text_empty"), ("好" * 100_000, "text_too_long")]
)
def test_bad_text_fails_at_once(text: str, code: str, models: Models) -> None:
    with pytest.raises(KuamoError) as error:
        talk(TurnRequest(text=text), models)
    assert error.value.code == code


def test_a_model_that_says_nothing_is_named(models: Models) -> None:
    with pytest.raises(KuamoError) as error:
        take(TurnRequest(text="say nothing"), models)
    assert error.value.code == "reply_empty"
    assert "confidant" in error.value.message("en")


@pytest.mark.parametrize("pieces", [1, 5])
def test_a_turn_closed_early_stops_text_and_speech(pieces: int) -> None:
    models = Models(Catalogue.load([CONFIDANT]), Settings())
    threads, before = set(threading.enumerate()), Confidant.closed
    with closing(talk(TurnRequest(text="never end"), models)) as stream:
        for _ in range(pieces):
            next(stream)
    assert Confidant.closed == before + 1
    left = set(threading.enumerate()) - threads
    assert [thread.name for thread in left if not isinstance(thread, threading.Timer)] == []
    assert take(TurnRequest(text="Good morning"), models)[1].reply.text.endswith("Good morning.")
    models.close()


def test_a_voice_that_fails_stops_the_text() -> None:
    models = Models(Catalogue.load([CONFIDANT]), Settings())
    before = Confidant.closed
    with pytest.raises(KuamoError) as error:
        take(TurnRequest(text="never end", voice="nobody"), models)
    assert error.value.code == "unknown_voice"
    assert Confidant.closed == before + 1
    models.close()


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Hello. I am Dr. A. Smith! Version 17.4.1 is.", ["Hello.", "I am Dr. A. Smith!", "Version 17.4.1 is."]),
        ("你好。今天天气很好！“真的吗？”是的……对", ["你好。", "今天天气很好！", "“真的吗？”", "是的……", "对"]),
        ("It costs 3.14 euros", ["It costs 3.14 euros"]),
        ("One\nTwo. ...", ["One", "Two."]),
        ("好的！OK. Let us go?", ["好的！", "OK.", "Let us go?"]),
        ("?!", []),
    ],
)  # fmt: skip
def test_sentences(text: str, cut: list[str]) -> None:
    assert list(sentences(text)) == cut


@given(st.text(alphabet="aB1 .!?。！？…\n”)，", max_size=60))
def test_sentences_lose_no_letter(text: str) -> None:
    letters = [character for character in text if character.isalnum()]
    assert [character for character in "".join(sentences(text)) if character.isalnum()] == letters


@given(st.text(alphabet="aB1 .!?。！？…\n”)，", max_size=60), st.lists(st.integers(0, 60)))
def test_sentences_are_the_same_however_the_text_arrives(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    whole: list[str] = []
    rest = ""
    for start, end in pairwise(bounds):
        *complete, rest = SENTENCE.findall(rest + text[start:end]) or [""]
        whole += complete
    arrived = [part.strip() for part in (*whole, rest)]
    assert [part for part in arrived if any(map(str.isalnum, part))] == list(sentences(text))
