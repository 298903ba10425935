"""A conversation to its next turn."""

from collections.abc import Generator

from kuamo.contracts import Answer, ChatRequest
from kuamo.runtime import Models
from kuamo.stream import Stream


def chat(request: ChatRequest, models: Models) -> Stream[str, Answer]:
    """Continue a conversation; pieces of text as they are written, then the Answer."""
    return Stream(_chat(request, models))


def _chat(request: ChatRequest, models: Models) -> Generator[str, None, Answer]:
    with models.lease("chat", request) as lease:
        pieces = []
        for piece in lease.engine.chat(request):
            pieces.append(piece)
            yield piece
        return Answer("".join(pieces).strip(), (), (lease.trace(),))
