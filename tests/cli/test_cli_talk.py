"""`kuamo talk`: a turn by recording, by text, and by microphone."""

import io
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest
import soundfile

from kuamo.cli import sound
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits
from openai_server import openai_server


class Keyboard(io.StringIO):
    """A terminal on which lines are typed, then Ctrl-D."""

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


def with_microphone(monkeypatch: pytest.MonkeyPatch, typed: str, **more: Any) -> None:
    library = {"InputStream": Microphone, "PortAudioError": OSError, "query_devices": lambda kind: {"name": kind}}
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(**(library | more)))
    monkeypatch.setattr(sys, "stdin", Keyboard(typed))


def test_speech_is_recorded_from_enter_to_enter(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with_microphone(monkeypatch, "\n\nhow are you? \n")
    recorded, typed = sound.spoken(session)
    assert isinstance(recorded, Audio)
    assert recorded.sample_rate_hz == sound.RECORDING_RATE_HZ
    assert len(recorded.samples) == 1600
    assert recorded.samples.max() == pytest.approx(1.0)
    assert typed == "how are you?"
    assert session.said == ["cli.record", "cli.recording", "cli.record", "cli.record"]


def no_device(*_: object, **__: object) -> None:
    """Fail as PortAudio does where there is no device."""
    raise OSError


def test_without_a_device_recording_is_refused(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with_microphone(monkeypatch, "\n", query_devices=no_device)
    with pytest.raises(KuamoError, match="no microphone"):
        next(sound.spoken(session))


class Loudspeaker:
    """PortAudio's way out: what is played lasts until it is stopped, or, with `seconds`, so long."""

    def __init__(self, seconds: float | None = 0) -> None:
        self.played: list[float] = []
        self.stops = 0
        self._seconds = seconds
        self._quiet = threading.Event()

    def play(self, samples: Any, rate: int) -> None:
        self._quiet.clear()
        self.played.append(len(samples) / rate)

    def wait(self) -> None:
        self._quiet.wait(self._seconds)

    def stop(self) -> None:
        self.stops += 1
        self._quiet.set()


def loudspeaker(monkeypatch: pytest.MonkeyPatch, seconds: float | None = 0) -> Loudspeaker:
    out = Loudspeaker(seconds)
    library = SimpleNamespace(PortAudioError=OSError, play=out.play, wait=out.wait, stop=out.stop)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    return out


def tone(seconds: float) -> Audio:
    return Audio(np.zeros(round(8000 * seconds), np.float32), 8000)


def test_sounds_are_played_in_order_and_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    out = loudspeaker(monkeypatch, 0.05)
    with sound.Player() as player:
        for seconds in (1, 2, 3):
            player.add(tone(seconds))
    assert out.played == [1, 2, 3]
    assert (out.stops, player.found_nothing) == (0, False)


def test_ctrl_c_stops_what_is_played_and_all_that_would_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    out = loudspeaker(monkeypatch, None)

    def interrupted() -> None:
        with sound.Player() as player:
            player.add(tone(1))
            player.add(tone(2))
            while not out.played:
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.played == [1]
    assert not any(thread.name == "player" for thread in threading.enumerate())


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
    stages = shown["stages"]
    assert 0 < stages["heard_seconds"] <= stages["first_text_seconds"] <= stages["first_sound_seconds"]


def test_each_sentence_is_played(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    out = loudspeaker(monkeypatch)
    with openai_server() as server:
        done = kuamo("talk", "--text", "One. Two. Three.", "--model", f"chat={server.url}#echo")
    assert done.stdout.strip() == "One. Two. Three."
    assert len(out.played) == 3


def test_on_a_terminal_it_is_a_conversation(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Loudspeaker()
    with openai_server() as server:
        with_microphone(monkeypatch, "", play=out.play, wait=out.wait, stop=out.stop)
        monkeypatch.setattr(sound, "spoken", lambda session: iter(["one", tone(1), "two"]))
        done = kuamo("talk", "--model", f"chat={server.url}#echo", "--json")
        asked = [[message["content"] for message in body["messages"][1:]] for body in server.bodies]
    shown = json.loads(done.stdout)
    assert done.exit_code == 2
    assert "I heard nothing" in done.stderr
    assert shown["status"] == "partial"
    assert [turn.get("text") for turn in shown["turns"]] == ["one", None, "two"]
    assert shown["turns"][1]["error"]["code"] == "heard_nothing"
    assert asked == [["one"], ["one", "one", "two"]]
    assert len(out.played) == 2


def test_a_picture_is_talked_about(kuamo, data: Path) -> None:
    ticket = data / "images" / "wifi_ticket.jpg"
    done = kuamo("talk", "--text", "What is the password?", "--picture", ticket, "-o", "reply.wav")
    assert (done.exit_code, done.stdout.strip()) == (0, "aaeu")


def test_a_recording_of_three_hours_is_refused_at_once(kuamo) -> None:
    with soundfile.SoundFile("long.mp3", "w", 8000, 1, format="MP3") as file:
        for _ in range(10):
            file.write(np.zeros(8000 * 40, np.float32))
    done = kuamo("talk", "long.mp3", "-o", "reply.wav")
    assert done.exit_code == 2
    assert "long.mp3 lasts 400 s; what you say to the assistant at once may last 300 s." in done.stderr


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
