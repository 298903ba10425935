"""Whisper: windows, time stamps, languages, words."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tones import sound, teach_whisper

from kuamo.contracts import Precision, Segment, TranscribeRequest
from kuamo.engines.transcribe.whisper import Whisper
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits
from small_speech_checkpoints import write_whisper, write_whisper_english


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that writes "low" and "high" for two tones, in windows of 2 s."""
    folder = write_whisper(tmp_path_factory.mktemp("taught"), seconds=2)
    teach_whisper(folder)
    return folder


@pytest.fixture(scope="module")
def taught(folder: Path) -> Whisper:
    return Whisper.load(str(folder), device="cpu", precision="auto")


def times(segments: list[Segment]) -> list[tuple[str, float, float]]:
    return [(segment.text, segment.start_seconds, segment.end_seconds) for segment in segments]


TONES = [("low", 1.0), ("high", 1.0), ("low", 1.0), (" ", 1.0), ("high", 1.0), (" ", 1.0)]
HEARD = [("low", 0, 1), ("high", 1, 2), ("low", 2, 3), ("high", 4, 5)]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_windows_begin_where_the_time_stamps_end(taught: Whisper, rate: int) -> None:
    segments = list(taught.transcribe(TranscribeRequest(audio=sound(*TONES).at(rate))))
    assert times(segments) == HEARD
    for segment in segments:
        assert segment.language == "en"
        assert [word.text for word in segment.words] == [segment.text]
        assert segment.start_seconds <= segment.words[0].start_seconds <= segment.words[0].end_seconds
        assert segment.words[0].end_seconds <= segment.end_seconds


def test_a_recording_of_many_windows(taught: Whisper) -> None:
    audio = sound(*[("low", 1.0), (" ", 1.0), ("high", 1.0), (" ", 1.0)] * 16, ("low", 1.0))
    segments = list(taught.transcribe(TranscribeRequest(audio=audio, language="en")))
    assert audio.seconds == 65
    assert times(segments) == [("high" if at % 4 else "low", at, at + 1) for at in range(0, 66, 2)]


def test_segments_come_as_they_are_heard_and_stop_when_closed(taught: Whisper) -> None:
    windows = []
    hook = taught._model.get_encoder().register_forward_hook(lambda *_: windows.append(1))
    try:
        segments = taught.transcribe(TranscribeRequest(audio=sound(*TONES * 20), language="en"))
        next(segments)
        segments.close()
    finally:
        hook.remove()
    assert len(windows) <= 2  # the first window, and its chance of holding no speech


@pytest.mark.parametrize("precision", ["bf16", "int8", "nf4"])
def test_other_precisions_hear_the_same(folder: Path, precision: Precision) -> None:
    engine = Whisper.load(str(folder), device="cpu", precision=precision)
    segments = list(engine.transcribe(TranscribeRequest(audio=sound(*TONES))))
    assert engine.precision == precision
    assert [segment.text for segment in segments] == [text for text, _, _ in HEARD]


def test_the_language_asked_is_the_language_reported(taught: Whisper) -> None:
    audio = sound(("low", 1), (" ", 1))
    assert {segment.language for segment in taught.transcribe(TranscribeRequest(audio=audio, language="zh-CN"))} == {
        "zh"
    }
    with pytest.raises(KuamoError) as error:
        next(taught.transcribe(TranscribeRequest(audio=audio, language="fr")))
    assert error.value.code == "language_not_heard"


@pytest.mark.parametrize("seconds", [0, 0.01, 5])
def test_the_language_is_found_without_writing_anything_down(taught: Whisper, english: Whisper, seconds: float) -> None:
    request = TranscribeRequest(audio=sound(("low", seconds)))
    assert taught.identify(request) in taught_languages(taught)
    assert english.identify(request) == "en"
    if seconds:
        found = {segment.language for segment in taught.transcribe(TranscribeRequest(audio=sound(("low", seconds))))}
        assert found <= {taught.identify(request)}


def taught_languages(engine: Whisper) -> set[str]:
    return {token.strip("<|>") for token in engine._settings.lang_to_id}


def test_han_characters_are_words(taught: Whisper) -> None:
    tokens = taught._tokenizer("今天，好 ok。", add_special_tokens=False).input_ids
    part = {
        "start": 1.0,
        "tokens": torch.tensor(tokens),
        "token_timestamps": torch.arange(1, len(tokens) + 1) * 0.5 + 1,
    }
    words = list(taught._words(part, "zh"))
    assert [word for word, _, _ in words] == ["今", "天，", "好", "o", "k。"]
    assert words[0][1:] == (1.0, 2.5)
    assert [start for _, start, _ in words[1:]] == [2.5, 5.5, 7.0, 8.0]


def test_without_alignment_heads_words_have_no_times(folder: Path, tmp_path: Path) -> None:
    changed = copied(folder, tmp_path, alignment_heads=None)
    engine = Whisper.load(str(changed), device="cpu", precision="auto")
    segments = list(engine.transcribe(TranscribeRequest(audio=sound(*TONES))))
    assert times(segments) == HEARD
    assert not any(segment.words for segment in segments)


def test_settings_from_before_time_stamps_are_refused(folder: Path, tmp_path: Path) -> None:
    changed = copied(folder, tmp_path, lang_to_id=None)
    with pytest.raises(KuamoError, match="lang_to_id") as error:
        Whisper.load(str(changed), device="cpu", precision="auto")
    assert error.value.code == "model_unsupported"


def copied(folder: Path, to: Path, **removed: None) -> Path:
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    settings = json.loads((to / "generation_config.json").read_text())
    (to / "generation_config.json").write_text(
        json.dumps({name: value for name, value in settings.items() if name not in removed})
    )
    return to


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    """An English-only checkpoint with random weights and windows of 4 s."""
    folder = write_whisper_english(tmp_path_factory.mktemp("english"), seconds=4)
    return Whisper.load(str(folder), device="cpu", precision="auto")


def test_english_only(english: Whisper) -> None:
    audio = sound(("low", 1))
    for language in (None, "en-US"):
        segments = list(english.transcribe(TranscribeRequest(audio=audio, language=language)))
        assert all(segment.language == "en" for segment in segments)
    with pytest.raises(KuamoError) as error:
        next(english.transcribe(TranscribeRequest(audio=audio, language="zh")))
    assert error.value.code == "language_not_heard"


@pytest.mark.parametrize("seconds", [0, 0.01, 0.12, 5])
def test_any_length_any_weights(english: Whisper, seconds: float) -> None:
    samples = np.random.default_rng(1).standard_normal(round(8_000 * seconds)).astype(np.float32)
    request = TranscribeRequest(audio=Audio(samples / 10, 8_000))
    segments = list(english.transcribe(request))
    assert segments == list(english.transcribe(request))
    assert bool(segments) == (seconds > 1) or seconds == 0.12
    for segment in segments:
        assert 0 <= segment.start_seconds < segment.end_seconds <= seconds
        assert segment.text
        assert all(
            segment.start_seconds <= w.start_seconds <= w.end_seconds <= segment.end_seconds for w in segment.words
        )


def test_silence_and_a_real_recording_are_heard_to_the_end(taught: Whisper, data: Path) -> None:
    assert isinstance(list(taught.transcribe(TranscribeRequest(audio=sound((" ", 3))))), list)
    audio = read_audio(data / "speech" / "jfk.flac", Limits())
    segments = list(taught.transcribe(TranscribeRequest(audio=audio)))
    assert all(segment.end_seconds <= audio.seconds for segment in segments)
