"""A prompt to pictures."""

from collections.abc import Generator

from kuamo.contracts import Drawing, DrawRequest, DrawStep, Picture
from kuamo.runtime import Models
from kuamo.stream import Stream


def draw(request: DrawRequest, models: Models) -> Stream[DrawStep | Picture, Drawing]:
    """Draw a prompt; steps and pictures as they come, then the Drawing."""
    return Stream(_draw(request, models))


def _draw(request: DrawRequest, models: Models) -> Generator[DrawStep | Picture, None, Drawing]:
    with models.lease("draw", request) as lease:
        pictures = []
        for event in lease.engine.draw(request):
            if isinstance(event, Picture):
                pictures.append(event)
            yield event
        return Drawing(tuple(pictures), (lease.trace(),))
