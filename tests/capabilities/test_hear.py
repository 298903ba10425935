"""What is heard in recordings: speech by the real engines, and nothing in what is no speech."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from kuamo.capabilities.hear import hear, read_turn
from kuamo.capabilities.speak import speak
from kuamo.catalogue import Catalogue
from kuamo.contracts import Segment, SpeakRequest, TranscribeRequest, Word
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, join_audio, read_audio
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings

RATE = 16_000
EARS = {
    "name": "english-ear", "capabilities": ["transcribe"], "engine": "test_hear:Ear", "source": "package:test_hear",
    "languages": ["en"], "memory_mb": 1, "profiles": ["nano"], "options": {"language": "en"},
}  # fmt: skip
BOTH = {**EARS, "name": "two-languages-ear", "languages": ["zh", "en"], "options": {"language": "zh"}}


class Ear:
    """Makes up a word for every second it is given, as a model does that was never shown silence."""

    device = "cpu"
    precision = "fp32"

    def __init__(self, language: str) -> None:
        self._language = language

    @classmethod
    def load(cls, source: str, *, device: str, precision: str, language: str) -> Self:
        return cls(language)

    def transcribe(self, request: TranscribeRequest) -> Iterator[Segment]:
        seconds = request.audio.seconds
        words = tuple(Word(float(start), start + 0.5, self._language) for start in range(int(seconds)))
        if words:
            yield Segment(0, seconds, " ".join(word.text for word in words), words, request.language or self._language)

    def identify(self, request: TranscribeRequest) -> str:
        loud = float(np.abs(request.audio.samples).max())
        return "zh" if loud > 0.9 else "en"


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    """The engines in the box."""
    built = Models(Catalogue.load(), Settings())
    yield built
    built.close()


@pytest.fixture(scope="module")
def said(models: Models) -> Audio:
    """A sentence of about two seconds."""
    return speak(SpeakRequest(text="Hello, the sun is shining today."), models).result().audio.at(RATE)


def silence(seconds: float) -> Audio:
    return Audio(np.zeros(round(RATE * seconds), np.float32), RATE)


def noise(seconds: float, level: float) -> Audio:
    drawn = np.random.default_rng(3).normal(0, 1, round(RATE * seconds))
    return Audio((level * drawn).astype(np.float32), RATE)


def chords(seconds: float) -> Audio:
    """Return triads of plucked strings, a new one each half second."""
    time = np.arange(RATE // 2) / RATE
    roots = (220.0, 174.6, 261.6, 196.0)
    parts = [
        sum(np.sin(2 * np.pi * root * ratio * harmonic * time) / harmonic for ratio in (1, 1.25, 1.5)
            for harmonic in (1, 2, 3)) * np.exp(-4 * time)
        for root in (roots[index % 4] for index in range(round(seconds * 2)))
    ]  # fmt: skip
    return Audio((0.15 * np.concatenate(parts)).astype(np.float32), RATE)


@pytest.mark.parametrize(
    "audio",
    [silence(2), noise(2, 0.1), chords(6), silence(0.01), silence(0)],
    ids=["silence", "noise", "music", "a moment", "empty"],
)
def test_a_recording_without_speech_is_told(audio: Audio, models: Models) -> None:
    with pytest.raises(KuamoError) as error:
        hear(audio, None, models)
    assert error.value.code == "heard_nothing"


def test_recorded_noise_is_no_speech(data: Path, models: Models) -> None:
    with pytest.raises(KuamoError) as error:
        hear(read_audio(data / "speech" / "noise2.wav", Limits()), None, models)
    assert error.value.code == "heard_nothing"


def test_silence_inside_a_recording_is_not_shown_to_the_model(said: Audio) -> None:
    models = Models(Catalogue.load([EARS]), Settings())
    recording = join_audio([silence(20), said, silence(30), said, silence(20)])
    transcript = hear(recording, None, models)
    assert len(transcript.segments) == 2
    first, second = transcript.segments
    assert 19 < first.start_seconds < 20.5
    assert first.end_seconds < 20.5 + said.seconds
    assert 49 < second.start_seconds - said.seconds < 50.5
    assert all(19 < word.start_seconds < 55 for word in transcript.words)
    assert len(transcript.words) < 2 * (said.seconds + 1)  # and not one for each of the 75 seconds
    assert [trace.capability for trace in transcript.traces] == ["detect", "transcribe"]
    models.close()


def test_a_pause_does_not_part_a_sentence(said: Audio) -> None:
    models = Models(Catalogue.load([EARS]), Settings())
    assert len(hear(join_audio([said, silence(1.5), said]), None, models).segments) == 1
    models.close()


def test_telephone_stereo_is_heard(tmp_path: Path, data: Path, models: Models) -> None:
    import soundfile

    narrow = read_audio(data / "speech" / "LJ050-0131.wav", Limits()).at(8000).samples
    soundfile.write(tmp_path / "call.wav", np.stack([narrow, narrow], axis=1), 8000, subtype="ULAW")
    audio = read_turn(tmp_path / "call.wav", Limits())
    assert (audio.sample_rate_hz, audio.samples.ndim) == (8000, 1)
    assert "review" in hear(audio, None, models).text


@pytest.mark.parametrize(("level", "language"), [(0.95, "zh"), (0.3, "en")])
def test_where_models_serve_a_language_each_it_is_found_first(level: float, language: str, said: Audio) -> None:
    models = Models(Catalogue.load([EARS, BOTH]), Settings())
    loud = Audio(said.samples * np.float32(level / np.abs(said.samples).max()), RATE)
    transcript = hear(loud, None, models)
    assert transcript.segments[0].language == language
    assert set(transcript.text.split()) == {language}  # the English ear hears English, though the other knows it too
    assert hear(loud, "en", models).segments[0].language == "en"
    models.close()


def test_three_hours_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    import soundfile

    second = np.zeros(8000, np.float32)
    with soundfile.SoundFile(tmp_path / "long.mp3", "w", 8000, 1, format="MP3") as file:
        for _ in range(400):
            file.write(second)
    with pytest.raises(KuamoError) as error:
        read_turn(tmp_path / "long.mp3", Limits())
    assert error.value.code == "turn_too_long"
    assert "400 s" in error.value.line("en")
    assert "300 s" in error.value.line("en")
    with pytest.raises(KuamoError) as error:
        read_turn(tmp_path / "long.mp3", Limits(seconds=100))
    assert error.value.code == "audio_too_long"
