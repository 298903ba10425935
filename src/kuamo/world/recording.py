"""What lies between a voice and its recording: a room, noise, a telephone, a level. Times stay as they were."""

from functools import cache
from random import Random

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
TELEPHONE_HZ = 8_000
IN_A_ROOM, WITH_NOISE, BY_TELEPHONE = 0.4, 0.75, 0.15
REVERBERATION_SECONDS = (0.1, 0.5)  # until the echo has fallen by 60 dB
DIRECT_TO_ECHO_DB = (0.0, 15.0)
NOISE_DB = (8.0, 35.0)  # speech above noise
PEAK_DB = (-24.0, -1.0)  # below full scale
COLOURS = {"white": 0.0, "pink": 0.5, "brown": 1.0, "hum": 0.0}  # falling as 1 / frequency to this power
HUM_HZ = (50, 100, 150, 250, 350)
NOISE_SECONDS = 20

Samples = NDArray[np.float32]


def recorded(samples: Samples, random: Random) -> Samples:
    """Return speech (n,) at 16 kHz as it is recorded somewhere; all chance comes from `random`."""
    if random.random() < IN_A_ROOM:
        samples = in_a_room(samples, random)
    if random.random() < WITH_NOISE:
        samples = with_noise(samples, random.uniform(*NOISE_DB), random)
    if random.random() < BY_TELEPHONE:
        samples = by_telephone(samples)
    peak = float(np.abs(samples).max(initial=1e-6))
    return samples * np.float32(10 ** (random.uniform(*PEAK_DB) / 20) / peak)


def in_a_room(samples: Samples, random: Random) -> Samples:
    """Return speech with the echo of a room: noise that decays exponentially, after the direct sound (Polack 1988)."""
    count = round(random.uniform(*REVERBERATION_SECONDS) * RATE_HZ)
    echo = _normal(count, random) * np.exp(-6.9 * np.arange(count, dtype=np.float32) / count)
    echo[: round(0.002 * RATE_HZ)] = 0
    echo *= 10 ** (-random.uniform(*DIRECT_TO_ECHO_DB) / 20) / np.linalg.norm(echo)
    echo[0] = 1
    size = 1 << (len(samples) + count).bit_length()
    reverberant = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(echo, size), size)
    return reverberant[: len(samples)].astype(np.float32)


def with_noise(samples: Samples, decibels: float, random: Random) -> Samples:
    """Return speech with noise of any colour, so many dB below it (of the speech, only what is not silent counts)."""
    noise = noise_of(random.choice(tuple(COLOURS)), len(samples), random)
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max(initial=0)]
    level = float(np.sqrt(np.mean(loud**2))) if len(loud) else 0.05
    return samples + noise * np.float32(level * 10 ** (-decibels / 20))


def noise_of(colour: str, count: int, random: Random) -> Samples:
    """Return so many samples of noise, of mean square 1."""
    noise = _noise(colour)
    start = random.randrange(len(noise))
    return np.take(noise, range(start, start + count), mode="wrap")


def by_telephone(samples: Samples) -> Samples:
    """Return speech as a telephone carries it: sampled at 8 kHz, in 8 bits of the mu-law (ITU-T G.711)."""
    import soxr

    narrow = soxr.resample(samples, RATE_HZ, TELEPHONE_HZ)
    peak = np.abs(narrow).max(initial=1e-6)
    compressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow) / peak) / np.log(256)
    coded = np.round(compressed * 127) / 127
    heard = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255 * peak
    wide = soxr.resample(heard.astype(np.float32), TELEPHONE_HZ, RATE_HZ)
    return np.pad(wide, (0, max(0, len(samples) - len(wide))))[: len(samples)].astype(np.float32)


@cache
def _noise(colour: str) -> Samples:
    random, count = Random(f"noise/{colour}"), NOISE_SECONDS * RATE_HZ
    if colour == "hum":
        seconds = np.arange(count) / RATE_HZ
        tones = [np.sin(2 * np.pi * pitch * seconds) / place for place, pitch in enumerate(HUM_HZ, 1)]
        noise = np.sum(tones, axis=0) + 0.1 * _normal(count, random)
    else:
        spectrum = np.fft.rfft(_normal(count, random))
        noise = np.fft.irfft(spectrum / np.maximum(20, np.fft.rfftfreq(count, 1 / RATE_HZ)) ** COLOURS[colour], count)
    scaled: Samples = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return scaled


def _normal(count: int, random: Random) -> Samples:
    return np.random.default_rng(random.getrandbits(64)).standard_normal(count, np.float32)
