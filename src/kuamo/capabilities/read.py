"""A picture to the text in it."""

from kuamo.contracts import Reading, ReadRequest
from kuamo.runtime import Models


def read(request: ReadRequest, models: Models) -> Reading:
    """Read the lines of text in a picture, in reading order."""
    with models.lease("read", request) as lease:
        return Reading(lease.engine.read(request), (lease.trace(),))
