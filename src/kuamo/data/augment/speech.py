"""Recordings changed a little: faster, higher, noisier, in another room. Always a new sound, never clipped."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuamo.media.audio import Audio

LEAST_POWER = 1e-12


def change_speed(audio: Audio, factor: float) -> Audio:
    """Return a recording `factor` times as fast, its pitch as much higher (Ko et al. 2015); times shrink by factor."""
    import soxr

    rate = audio.sample_rate_hz
    return _unclipped(soxr.resample(audio.samples, rate * factor, rate), rate)


def change_pitch(audio: Audio, semitones: float) -> Audio:
    """Return a recording with its voice higher or lower and as long as before (to the sample).

    Resampled, then stretched back by FFmpeg's atempo (WSOLA, Verhelst and Roelands 1993); times stay within 30 ms.
    """
    if not len(audio.samples):
        return audio
    factor = 2 ** (semitones / 12)
    fast = change_speed(audio, factor)
    stretched = np.concatenate([*_at_tempo(fast, 1 / factor), np.zeros(0, np.float32)])[: len(audio.samples)]
    return _unclipped(np.pad(stretched, (0, len(audio.samples) - len(stretched))), audio.sample_rate_hz)


def _at_tempo(audio: Audio, tempo: float) -> Iterator[NDArray[np.float32]]:
    import av

    rate = audio.sample_rate_hz
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate))
    graph.link_nodes(source, graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(audio.samples[None, :].copy(), format="flt", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    for given in (frame, None):
        graph.push(given)
        yield from _ready(graph)


def _ready(graph: Any) -> Iterator[NDArray[np.float32]]:
    import av

    while True:
        try:
            yield graph.pull().to_ndarray()[0]
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def mix_noise(audio: Audio, noise: Audio | None, snr_db: float, random: np.random.Generator) -> Audio:
    """Return a recording in noise, `snr_db` below it in power over the whole; None: white noise.

    A noise shorter than the recording is repeated, from a random moment of it.
    """
    count = len(audio.samples)
    if noise is None:
        wave = random.standard_normal(count)
    else:
        own = noise.at(audio.sample_rate_hz).samples
        wave = np.take(own.astype(np.float64), np.arange(count) + int(random.integers(len(own))), mode="wrap")
    scale = np.sqrt(_power(audio.samples) / max(_power(wave), LEAST_POWER) / 10 ** (snr_db / 10))
    return _unclipped(audio.samples + scale * wave, audio.sample_rate_hz)


def place_in(audio: Audio, room: Audio) -> Audio:
    """Return a recording as it sounds in a room, given by its impulse response; as long and as loud as before.

    The response counts from its loudest sample, the direct sound, so that times stay.
    """
    response = room.at(audio.sample_rate_hz).samples
    response = response[int(np.abs(response).argmax()) :]
    size = 1 << (len(audio.samples) + len(response) - 1).bit_length()
    heard = np.fft.irfft(np.fft.rfft(audio.samples, size) * np.fft.rfft(response, size), size)[: len(audio.samples)]
    heard *= np.sqrt(_power(audio.samples) / max(_power(heard), LEAST_POWER))
    return _unclipped(heard, audio.sample_rate_hz)


def made_room(seconds: float, sample_rate_hz: int, random: np.random.Generator) -> Audio:
    """Return a made-up room's impulse response: the direct sound, then noise that decays by 60 dB in `seconds`.

    Polack's model (1988); the reverberation has 0 to 10 dB less energy than the direct sound.
    """
    moments = np.arange(1, max(2, round(seconds * sample_rate_hz))) / sample_rate_hz
    tail = random.standard_normal(len(moments)) * 10 ** (-3 * moments / seconds)
    tail *= np.sqrt(10 ** (-random.uniform(0, 10) / 10) / max(float(tail @ tail), LEAST_POWER))
    return Audio(np.concatenate([[1.0], tail]).astype(np.float32), sample_rate_hz)


def _power(samples: NDArray[Any]) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0


def _unclipped(samples: NDArray[Any], sample_rate_hz: int) -> Audio:
    """Return samples as a sound, the whole made quieter where it would clip."""
    peak = float(np.abs(samples).max(initial=0))
    return Audio((samples / max(1.0, peak)).astype(np.float32), sample_rate_hz)
