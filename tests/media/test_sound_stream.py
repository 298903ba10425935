"""Sounds encoded while they are made."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits
from kuamo.media.sound_stream import STREAMABLE, encode_stream

RATE_HZ = 22_050


def tone(lengths: list[int]) -> list[Audio]:
    whole = np.sin(np.arange(sum(lengths)) / 20).astype(np.float32) / 2
    return [Audio(part, RATE_HZ) for part in np.split(whole, np.cumsum(lengths)[:-1])]


@pytest.mark.parametrize("form", sorted(STREAMABLE.keys() - {"pcm"}))
@given(lengths=st.lists(st.integers(2_000, 20_000), min_size=1, max_size=5))
@settings(max_examples=20)
def test_what_was_encoded_in_pieces_lasts_as_long_and_sounds_the_same(form: str, lengths: list[int]) -> None:
    decoded = read_audio(b"".join(encode_stream(tone(lengths), form)), Limits())
    assert decoded.seconds == pytest.approx(sum(lengths) / RATE_HZ, abs=0.15)
    if form in ("wav", "flac"):
        expected = np.concatenate([part.samples for part in tone(lengths)])
        assert decoded.samples == pytest.approx(expected, abs=1e-4)


def test_pcm_is_resampled_without_a_seam() -> None:
    lengths = [10_000, 3, 9_000]
    samples = np.frombuffer(b"".join(encode_stream(tone(lengths), "pcm")), "<i2") / 32_768
    expected = np.sin(np.arange(len(samples)) * RATE_HZ / 24_000 / 20) / 2
    assert np.abs(samples - expected)[100:-100].max() < 0.01


@pytest.mark.parametrize("form", sorted(STREAMABLE))
def test_each_piece_leaves_before_the_next_is_made(form: str) -> None:
    made: list[int] = []

    def sounds() -> Iterator[Audio]:
        for part in tone([RATE_HZ * 3] * 3):
            made.append(1)
            yield part

    next(pieces := encode_stream(sounds(), form))
    assert len(made) == 1
    assert b"".join(pieces)


def test_too_loud_is_clipped_not_wrapped() -> None:
    loud = Audio(np.full(1_000, 3, np.float32), RATE_HZ)
    assert read_audio(b"".join(encode_stream([loud], "wav")), Limits()).samples.min() > 0.99
