"""`kuamo talk`: a turn by recording, by text, and by microphone."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from kuamo.cli import sound
from kuamo.errors import KuamoError
from kuamo.media.audio import read_audio
from kuamo.media.limits import Limits
from openai_server import openai_server


class PushToTalk(io.StringIO):
    """A terminal on which Enter is pressed twice."""

    def __init__(self) -> None:
        super().__init__("\n\n")

    def isatty(self) -> bool:
        return True


class Microphone:
    """PortAudio's input stream, which hears two blocks of a rising tone while it is open."""

    def __init__(self, rate: int, *, channels: int, dtype: str, callback: Callable[..., None]) -> None:
        self.callback = callback

    def __enter__(self) -> Self:
        block = np.linspace(0, 0.5, 800, dtype=np.float32).reshape(-1, 1)
        for scale in (1, 2):
            self.callback(block * scale, 800, None, None)
        block[:] = 9  # PortAudio uses its buffer again
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def session() -> Any:
    """A session that notes what it says."""
    said: list[str] = []
    return SimpleNamespace(say=lambda key: key, note=said.append, said=said)


def test_speech_is_recorded_from_enter_to_enter(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(InputStream=Microphone, PortAudioError=OSError, query_devices=lambda kind: {"name": kind})
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    monkeypatch.setattr(sys, "stdin", PushToTalk())
    recorded = sound.record(session)
    assert recorded.sample_rate_hz == sound.RECORDING_RATE_HZ
    assert len(recorded.samples) == 1600
    assert recorded.samples.max() == pytest.approx(1.0)
    assert session.said == ["cli.record", "cli.recording"]


def no_device(*_: object, **__: object) -> None:
    """Fail as PortAudio does where there is no device."""
    raise OSError


def test_without_a_device_recording_is_refused(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(PortAudioError=OSError, query_devices=no_device)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    monkeypatch.setattr(sys, "stdin", PushToTalk())
    with pytest.raises(KuamoError, match="no microphone"):
        sound.record(session)


def test_a_text_is_answered_in_text_and_speech(kuamo) -> None:
    with openai_server() as server:
        done = kuamo("talk", "--text", "good morning, 世界", "--model", f"chat={server.url}#echo", "-o", "reply.mp3")
    assert (done.exit_code, done.stdout.strip()) == (0, "good morning, 世界")
    assert "Wrote reply.mp3" in done.stderr
    assert read_audio(Path("reply.mp3"), Limits()).seconds > 0.5
    assert list(Path().iterdir()) == [Path("reply.mp3")]


def test_a_recording_is_heard_answered_and_spoken(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kuamo("speak", "hello world", "-o", "my voice.wav").exit_code == 0
    with openai_server() as server:
        monkeypatch.setenv("KUAMO_MODELS__CHAT", f"{server.url}#echo")
        done = kuamo("talk", "my voice.wav", "-o", "reply.wav", "--json")
    shown = json.loads(done.stdout)
    heard = shown["heard"]["text"]
    assert heard
    assert f"You: {heard}" in done.stderr
    assert shown["text"] == heard
    assert [word["text"] for word in shown["words"]] == heard.split()
    assert shown["path"] == "reply.wav"
    assert shown["audio"]["seconds"] == round(read_audio(Path("reply.wav"), Limits()).seconds, 3)
    assert [trace["capability"] for trace in shown["traces"]] == ["detect", "transcribe", "chat", "speak"]


def test_where_nothing_can_play_the_reply_it_is_told(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(PortAudioError=OSError, play=no_device))
    with openai_server() as server:
        done = kuamo("talk", "--text", "hi", "--model", f"chat={server.url}#echo")
    assert (done.exit_code, done.stdout.strip()) == (0, "hi")
    assert "No sound device to play it on; --out FILE writes it to a file." in done.stderr


def test_a_reply_without_a_file_is_played(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[Any] = []
    library = SimpleNamespace(PortAudioError=OSError, play=lambda *sound: played.append(sound), wait=lambda: None)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    assert kuamo("speak", "hi").exit_code == 0
    ((samples, rate),) = played
    assert len(samples) / rate > 0.1
