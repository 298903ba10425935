"""Sounds to what speech models hear: log-mel spectrograms, MFCC, or the model's own features."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kuamo.data.features.processor import load_own, settings_of, versions
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits

FRAMES_AT_ONCE = 128  # fits the processor's cache
LEAST_POWER = 1e-10


@dataclass(frozen=True, kw_only=True)
class LogMel:
    """Settings of a log-mel spectrogram in decibels below the loudest; equal to librosa's of the same settings.

    `window` and `hop` are samples at `sample_rate_hz` (25 ms every 10 ms), `highest_hz` the upper edge of the last of
    `bands` on Slaney's mel scale. All is cut or padded to `frames` (3,000: 30 s; None: as long as the sound), and
    padding is silence: `range_db` below the loudest, as low as a sound can be.
    """

    bands: int = 80
    highest_hz: float = 8_000
    window: int = 400
    hop: int = 160
    frames: int | None = 3_000
    range_db: float = 80
    sample_rate_hz: int = 16_000

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the values."""
        return {"class": "LogMel", "settings": asdict(self), "versions": versions()}

    def of(self, audios: Sequence[Audio]) -> NDArray[np.float32]:
        """Return spectrograms, shape (n, bands, frames), from -range_db to 0, each against its own loudest."""
        return np.stack([self._fit(self.decibels(audio, relative=True)) for audio in audios])

    def read(self, data: bytes, limits: Limits, name: str | None = None) -> NDArray[np.float32]:
        """Decode a sound file and return its spectrogram, shape (bands, frames). Raises KuamoError as `read_audio`."""
        return self._fit(self.decibels(read_audio(data, limits, name), relative=True))

    def decibels(self, audio: Audio, *, relative: bool) -> NDArray[np.float32]:
        """Return the whole sound's spectrogram, shape (bands, frames): dB, of power 1 or relative to the loudest.

        Nothing lies more than range_db below the loudest.
        """
        power = self._power(audio.at(self.sample_rate_hz).samples)
        levels: NDArray[np.float32] = 10 * np.log10(np.maximum(power, LEAST_POWER))
        if relative:
            levels -= levels.max()
        lowest = levels.max() - np.float32(self.range_db)
        np.maximum(levels, lowest, out=levels)
        return levels

    def mfcc(self, audio: Audio, coefficients: int = 13) -> NDArray[np.float32]:
        """Return mel-frequency cepstral coefficients, shape (coefficients, frames of the whole sound).

        The orthonormal cosine transform (type II) of the bands' decibels (Davis and Mermelstein 1980).
        """
        return _cosines(self.bands, coefficients) @ self.decibels(audio, relative=False)

    def _power(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mel power, shape (bands, frames); frames are centred, with zeros beyond both ends."""
        padded = np.pad(samples, self.window // 2)
        padded = np.pad(padded, (0, max(0, self.window - len(padded))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.window)[:: self.hop]
        filters = _mel_filters(self.sample_rate_hz, self.window, self.bands, self.highest_hz)
        hann = _hann(self.window)
        power = np.empty((len(frames), self.bands), np.float32)
        for start in range(0, len(frames), FRAMES_AT_ONCE):
            spectrum = np.fft.rfft(frames[start : start + FRAMES_AT_ONCE] * hann)  # 64 bits: weak bands need them
            power[start : start + FRAMES_AT_ONCE] = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ filters
        return np.ascontiguousarray(power.T)

    def _fit(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.frames is None:
            return levels
        fitted = np.full((self.bands, self.frames), -self.range_db, np.float32)
        fitted[:, : levels.shape[1]] = levels[:, : self.frames]
        return fitted


class SpeechFeatures:
    """A model's own feature extractor: Whisper's log-mel of 30 s, wav2vec2's normalised samples, and their kin."""

    def __init__(self, extractor: Any) -> None:
        self._extractor = extractor

    @classmethod
    def load(cls, folder: str) -> Self:
        """Load a checkpoint folder's feature extractor. Raises KuamoError no_processor."""
        from transformers import AutoFeatureExtractor

        return cls(load_own(AutoFeatureExtractor, folder))

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the values: the extractor and the versions of what computes."""
        return settings_of(self._extractor)

    @property
    def longest_seconds(self) -> float | None:
        """How much sound the model takes; what lies beyond is cut. None: any length."""
        return getattr(self._extractor, "chunk_length", None)

    def of(self, audios: Sequence[Audio]) -> NDArray[np.float32]:
        """Return features, shape (n, bands, frames), or (n, samples) for models that hear samples.

        Padding is the extractor's own: silence in the sound for Whisper, never the loudest value.
        """
        rate = self._extractor.sampling_rate
        whole = [audio.at(rate).samples for audio in audios]
        bounds: dict[str, Any] = (
            {"padding": "max_length", "truncation": True} if self.longest_seconds else {"padding": True}
        )
        made = self._extractor(whole, sampling_rate=rate, return_tensors="np", **bounds)
        return np.asarray(made[self._extractor.model_input_names[0]], dtype=np.float32)

    def read(self, data: bytes, limits: Limits, name: str | None = None) -> NDArray[np.float32]:
        """Decode a sound file and return its features, without the batch. Raises KuamoError as `read_audio` does."""
        features: NDArray[np.float32] = self.of([read_audio(data, limits, name)])[0]
        return features


@cache
def _hann(length: int) -> NDArray[np.float64]:
    """Return a periodic Hann window, shape (length,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


@cache
def _cosines(bands: int, coefficients: int) -> NDArray[np.float32]:
    """Return the orthonormal type-II cosine transform, shape (coefficients, bands)."""
    order, band = np.arange(coefficients)[:, None], np.arange(bands) + 0.5
    matrix = np.cos(np.pi * order * band / bands) * np.sqrt(2 / bands)
    matrix[0] /= np.sqrt(2)
    narrow: NDArray[np.float32] = matrix.astype(np.float32)
    return narrow


@cache
def _mel_filters(rate: int, window: int, bands: int, highest_hz: float) -> NDArray[np.float32]:
    """Return triangular filters of equal area on Slaney's mel scale, shape (window // 2 + 1, bands)."""
    edges = _mel_to_hz(np.linspace(0, _hz_to_mel(highest_hz), bands + 2))
    hertz = np.arange(window // 2 + 1)[:, None] * rate / window
    rising = (hertz - edges[:-2]) / np.diff(edges[:-1])
    falling = (edges[2:] - hertz) / np.diff(edges[1:])
    filters = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    narrow: NDArray[np.float32] = filters.astype(np.float32)
    return narrow


LINEAR_HZ = 200 / 3  # a mel below 1,000 Hz (Slaney's Auditory Toolbox, 1998)
LOG_STEP = np.log(6.4) / 27  # a mel's logarithm above it


def _hz_to_mel(hertz: float) -> float:
    return hertz / LINEAR_HZ if hertz < 1_000 else 15 + float(np.log(hertz / 1_000)) / LOG_STEP


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    hertz: NDArray[np.float64] = np.where(mels < 15, mels * LINEAR_HZ, 1_000 * np.exp(LOG_STEP * (mels - 15)))
    return hertz
