"""A turn with the assistant, through the real engines that hear, read and speak and a made-up one that chats."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.capabilities.assistant import Heard, Said, Sounded, Turn, TurnRequest, sentences, talk
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Message
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, read_audio
from kuamo.media.image import read_image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings

HEARS = find_spec("kuamo.engines.transcribe.pocketsphinx") is not None
hears = pytest.mark.skipif(not HEARS, reason="the engine that writes speech down is not here")
CONFIDANT = {
    "name": "confidant",
    "capabilities": ["chat"],
    "engine": "test_assistant:Confidant",
    "source": "package:test_assistant",
    "memory_mb": 200,
    "profiles": ["nano"],
}


class Confidant:
    """A chat model that says what it was told: the style, the turns before, and the last words."""

    device = "cpu"
    precision = "fp32"
    closed = 0

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        return cls()

    def chat(self, request: ChatRequest) -> Iterator[str]:
        style, *_, last = request.messages
        turns = sum(message.role == "user" for message in request.messages)
        if last.text == "say nothing":
            yield " ... "
            return
        try:
            if "语音助手" in style.text:
                yield f"这是第{turns}句。"
                yield f"你说：{last.text}。"
            else:
                yield f"This is turn {turns}. "
                yield f"You said: {last.text}."
        finally:
            Confidant.closed += 1


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
    kinds = [type(event) for event in events]
    assert kinds == sorted(kinds, key=[Heard, Said, Sounded].index)
    assert Heard not in kinds
    assert "".join(event.text for event in events if isinstance(event, Said)) == reply == turn.reply.text
    assert turn.heard is None
    assert turn.history == (Message("user", text), Message("assistant", reply))
    spoken = [event.chunk for event in events if isinstance(event, Sounded)]
    assert len(spoken) == len(sentences(reply))
    assert turn.audio.seconds == pytest.approx(sum(chunk.audio.seconds for chunk in spoken))
    assert float(np.abs(turn.audio.samples).max()) > 0.05
    assert [trace.model for trace in turn.traces] == ["confidant", "espeak"]


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
    _, second = take(TurnRequest(text="two", history=first.history), models)
    assert second.reply.text.startswith("This is turn 2.")
    assert [message.role for message in second.history] == ["user", "assistant"] * 2


def test_a_long_conversation_keeps_its_end(models: Models) -> None:
    history = (Message("user", "a"), Message("assistant", "b")) * 12
    _, turn = take(TurnRequest(text="last", history=history), models)
    assert len(turn.history) == 20
    assert turn.history[0].role == "user"
    assert turn.history[-2].text == "last"


def test_voice_and_speed_reach_the_speech(models: Models) -> None:
    _, slow = take(TurnRequest(text="Good morning", speed=0.7), models)
    _, fast = take(TurnRequest(text="Good morning", speed=1.6), models)
    assert slow.audio.seconds > 1.5 * fast.audio.seconds
    with pytest.raises(KuamoError) as error:
        take(TurnRequest(text="Good morning", voice="nobody"), models)
    assert error.value.code == "unknown_voice"


@hears
def test_a_recording_is_heard_answered_and_spoken(data: Path, models: Models) -> None:
    said = read_audio(data / "speech" / "librispeech-1995-1837-0001.wav", Limits()).at(16_000)
    silence = np.zeros(16_000 * 2, np.float32)
    recording = Audio(np.concatenate([silence, said.samples, silence]), 16_000)
    events, turn = take(TurnRequest(audio=recording), models)
    heard = events[0]
    assert isinstance(heard, Heard)
    assert turn.heard is not None
    assert heard.text == turn.heard.text == turn.history[0].text
    assert {"great", "sorrow", "life"} <= set(heard.text.lower().split())
    assert 1.9 < turn.heard.words[0].start_seconds < 3.5  # of the recording, not of the part that was cut out
    assert turn.heard.words[-1].end_seconds < 2.1 + said.seconds
    assert turn.reply.text == f"This is turn 1. You said: {heard.text}."
    assert [trace.capability for trace in turn.traces] == ["detect", "transcribe", "chat", "speak"]


def test_a_picture_is_read(data: Path, models: Models) -> None:
    ticket = read_image(data / "images" / "wifi_ticket.jpg", Limits())
    roomy = Models(models.catalogue, Settings(memory_gb=1))
    events, turn = take(TurnRequest(text="密码是什么？", image=ticket), roomy)
    assert events[0] == Said("aaeu")
    assert turn.reply.places[0].text == "Password: aaeu"
    assert [trace.model for trace in turn.traces] == ["rapidocr", "espeak"]
    _, later = take(TurnRequest(text="And the username?", history=turn.history), roomy)
    assert later.reply.text == "fqpp"
    roomy.close()


@pytest.mark.parametrize(
    "audio",
    [sound(2, 0), sound(2, 0.1), sound(0.01, 0), Audio(np.zeros(0, np.float32), 16_000)],
    ids=["silence", "noise", "a moment", "empty"],
)
def test_a_recording_without_speech_is_told(audio: Audio, models: Models) -> None:
    with pytest.raises(KuamoError) as error:
        talk(TurnRequest(audio=audio), models)
    assert error.value.code == "heard_nothing"


def test_recorded_noise_is_no_speech(data: Path, models: Models) -> None:
    with pytest.raises(KuamoError) as error:
        talk(TurnRequest(audio=read_audio(data / "speech" / "noise2.wav", Limits())), models)
    assert error.value.code == "heard_nothing"


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


def test_a_turn_closed_early_stops_the_model(models: Models) -> None:
    before = Confidant.closed
    talk(TurnRequest(text="Good morning"), models).close()
    assert Confidant.closed == before + 1
    assert take(TurnRequest(text="Good morning"), models)[1].reply.text.endswith("Good morning.")


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
