"""Rooms, noise and telephones change the sound as they say, and neither its length nor its times."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.world.recording import COLOURS, RATE_HZ, by_telephone, in_a_room, noise_of, recorded, with_noise


def tone(seconds: float = 1.0, pitch: float = 440) -> np.ndarray:
    moments = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.5 * np.sin(2 * np.pi * pitch * moments)).astype(np.float32)


def decibels(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(sound**2)))


@given(seed=st.integers(), count=st.integers(0, 20_000), loud=st.booleans())
def test_any_sound_stays_finite_and_as_long(seed: int, count: int, loud: bool) -> None:
    samples = tone(2)[:count] if loud else np.zeros(count, np.float32)
    heard = recorded(samples, Random(seed))
    assert heard.shape == samples.shape
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    assert np.abs(heard).max(initial=0) <= 1


def test_the_same_chance_gives_the_same_recording() -> None:
    assert np.array_equal(recorded(tone(), Random(4)), recorded(tone(), Random(4)))
    assert not np.array_equal(recorded(tone(), Random(4)), recorded(tone(), Random(5)))


@pytest.mark.parametrize("ratio", [0, 10, 30])
def test_noise_is_as_far_below_as_asked(ratio: int) -> None:
    noise = with_noise(tone(3), ratio, Random(1)) - tone(3)
    assert decibels(tone(3)) - decibels(noise) == pytest.approx(ratio, abs=1.5)


def test_each_colour_falls_as_it_should() -> None:
    low_share = {}
    for colour in COLOURS:
        spectrum = np.abs(np.fft.rfft(noise_of(colour, 10 * RATE_HZ, Random(0)))) ** 2
        low_share[colour] = spectrum[:10_000].sum() / spectrum.sum()  # below 1 kHz
    assert low_share["white"] == pytest.approx(0.125, abs=0.02)
    assert low_share["white"] < low_share["pink"] < low_share["brown"]
    assert low_share["hum"] > 0.9


def test_a_room_goes_on_after_the_sound_and_dies_away() -> None:
    sound = np.pad(tone(0.5), (0, RATE_HZ))
    heard = in_a_room(sound, Random(2))
    after = heard[RATE_HZ // 2 :]
    assert np.allclose(heard[:32], sound[:32], atol=1e-5)  # the direct sound comes first, at once
    assert decibels(after[:800]) > -60
    assert decibels(after[12_000:] + 1e-9) < decibels(after[:800]) - 40


def test_a_telephone_carries_what_is_below_4_khz() -> None:
    low, high = by_telephone(tone(pitch=1_000)), by_telephone(tone(pitch=6_000))
    assert np.corrcoef(low, tone(pitch=1_000))[0, 1] > 0.99
    assert decibels(high) < decibels(low) - 30
