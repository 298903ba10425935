"""Silence is trimmed as librosa does; noise is reduced only where that brings speech nearer to its clean form."""

from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kuamo.data.features.sound import reduce_noise, signal_to_noise_db, sounding, trim_silence
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits

LIMITS = Limits()
RATE = 16_000


def noisy(clean: Audio, decibels: float) -> Audio:
    """Return speech in white noise at a signal-to-noise ratio."""
    noise = np.random.default_rng(0).standard_normal(len(clean.samples))
    power = np.mean(np.square(clean.samples, dtype=np.float64)) / 10 ** (decibels / 10)
    return Audio((clean.samples + noise * np.sqrt(power)).astype(np.float32), clean.sample_rate_hz)


def distance_db(clean: Audio, other: Audio) -> float:
    """Return the scale-invariant signal-to-distortion ratio (Le Roux et al. 2019)."""
    truth, heard = clean.samples.astype(np.float64), other.samples.astype(np.float64)
    part = truth * (truth @ heard) / (truth @ truth)
    return float(10 * np.log10((part @ part) / ((heard - part) @ (heard - part))))


@pytest.fixture(scope="module")
def speech(data: Path) -> Audio:
    return read_audio(data / "speech" / "jfk.flac", LIMITS).at(RATE)


def test_trimming_real_recordings_is_librosas(data: Path) -> None:
    files = [
        *(data / "speech").glob("*.wav"),
        data / "speech" / "jfk.flac",
        *(data / "speech" / "digits").glob("*.wav"),
    ]
    assert len(files) > 10
    for file in files:
        audio = read_audio(file, LIMITS)
        _, bounds = librosa.effects.trim(audio.samples, top_db=20)
        assert sounding(audio) == tuple(bounds), file.name


@given(
    quiet=arrays(np.float32, st.integers(0, 5_000), elements=st.floats(-(2**-10), 2**-10, width=32)),
    loud=st.integers(1, 5_000),
    after=st.integers(0, 5_000),
)
def test_trimming_any_sound_is_librosas(quiet: np.ndarray, loud: int, after: int) -> None:
    burst = 0.5 * np.sin(np.arange(loud) / 5)
    samples = np.concatenate([quiet, burst, np.zeros(after)]).astype(np.float32)
    trimmed, _ = librosa.effects.trim(samples, top_db=20)
    np.testing.assert_array_equal(trim_silence(Audio(samples, RATE)).samples, trimmed)


@pytest.mark.parametrize("decibels", [-5, 0, 5, 10])
def test_the_estimate_is_near_the_truth_in_steady_noise(speech: Audio, decibels: float) -> None:
    assert signal_to_noise_db(noisy(speech, decibels)) == pytest.approx(decibels, abs=1)


def test_the_estimate_bears_silence_and_very_short_sounds() -> None:
    assert np.isfinite(signal_to_noise_db(Audio(np.zeros(RATE, np.float32), RATE)))
    assert np.isfinite(signal_to_noise_db(Audio(np.ones(1, np.float32), RATE)))


@pytest.mark.parametrize("decibels", [-5, 0])
def test_much_noise_is_reduced(speech: Audio, decibels: float) -> None:
    before = noisy(speech, decibels)
    after = reduce_noise(before)
    assert distance_db(speech, after) > distance_db(speech, before) + 3
    assert len(after.samples) == len(before.samples)


@pytest.mark.parametrize("decibels", [8, 10, 20])
def test_little_noise_is_left_alone(speech: Audio, decibels: float) -> None:
    before = noisy(speech, decibels)
    assert reduce_noise(before) is before
    # and rightly so: reducing it would do harm
    assert distance_db(speech, reduce_noise(before, below_db=100)) < distance_db(speech, before)
