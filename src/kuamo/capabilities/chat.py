"""A conversation to its next turn."""

from collections.abc import Generator

from kuamo.contracts import Answer, ChatRequest, Ending
from kuamo.errors import KuamoError
from kuamo.runtime import Lease, Models
from kuamo.stream import Stream, passed_on


def chat(request: ChatRequest, models: Models) -> Stream[str, Answer]:
    """Continue a conversation; pieces of text as they are written, then the Answer."""
    return Stream(_chat(request, models))


def _chat(request: ChatRequest, models: Models) -> Generator[str, None, Answer]:
    with models.lease("chat", request) as lease:
        check_tools(request, lease)
        text, ending = yield from written(lease.engine.chat(request))
        return Answer(text, (), (lease.trace(),), ending)


def check_tools(request: ChatRequest, lease: Lease) -> None:
    """Raise KuamoError no_tools where tools are in a conversation and the model cannot use any."""
    used = request.tools or any(message.calls or message.role == "tool" for message in request.messages)
    if used and not getattr(lease.engine, "calls_tools", False):
        raise KuamoError("no_tools", name=lease.model.name)


def written(pieces: Generator[str, None, Ending | None]) -> Generator[str, None, tuple[str, Ending | None]]:
    """Pass a reply's pieces on; return the whole of it, and what the engine says of its ending."""
    kept: list[str] = []

    def keep(piece: str) -> tuple[str]:
        kept.append(piece)
        return (piece,)

    ending = yield from passed_on(pieces, keep)
    return "".join(kept).strip(), ending
