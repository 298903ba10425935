"""A recording to where there is speech in it."""

from kuamo.contracts import Detection, DetectRequest
from kuamo.runtime import Models


def detect(request: DetectRequest, models: Models) -> Detection:
    """Find the stretches of speech in a recording; none in silence or noise."""
    with models.lease("detect", request) as lease:
        return Detection(lease.engine.detect(request), (lease.trace(),))
