"""A conversation to its next turn."""

from collections.abc import Generator
from contextlib import closing

from kuamo.contracts import Answer, ChatRequest, Usage
from kuamo.runtime import Models
from kuamo.stream import Stream


def chat(request: ChatRequest, models: Models) -> Stream[str, Answer]:
    """Continue a conversation; pieces of text as they are written, then the Answer."""
    return Stream(_chat(request, models))


def _chat(request: ChatRequest, models: Models) -> Generator[str, None, Answer]:
    with models.lease("chat", request) as lease:
        text, usage = yield from written(lease.engine.chat(request))
        return Answer(text, (), (lease.trace(),), usage)


def written(pieces: Generator[str, None, Usage | None]) -> Generator[str, None, tuple[str, Usage | None]]:
    """Pass a reply's pieces on; return the whole of it, and what the engine says of its tokens."""
    kept: list[str] = []
    with closing(pieces):
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                return "".join(kept).strip(), end.value
            kept.append(piece)
            yield piece
