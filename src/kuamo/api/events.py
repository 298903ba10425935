"""Results sent while they are made, and work that ends when its client goes."""

import asyncio
import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TypeVar

from anyio import CancelScope
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from kuamo.api.failures import told
from kuamo.errors import KuamoError
from kuamo.stream import Stream

Piece = TypeVar("Piece")
Result = TypeVar("Result")

EVENTS = "text/event-stream"
DONE = b"data: [DONE]\n\n"
LOG = logging.getLogger("kuamo")


def event(data: BaseModel, name: str = "", *, only_set: bool = False) -> bytes:
    """Return a server-sent event of the data, or of those fields that were set."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data.model_dump_json(exclude_unset=only_set)}\n\n".encode()


async def finished(request: Request, start: Callable[[], Stream[Piece, Result]]) -> Result:
    """Start a stream in a worker thread, run it to its end and return the whole.

    Closes the stream and raises ClientDisconnect after the piece during which the client goes.
    """
    gone = threading.Event()
    watcher = asyncio.create_task(_watch(request, gone))
    try:
        return await run_in_threadpool(_run, start, gone)
    finally:
        watcher.cancel()


async def _watch(request: Request, gone: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _run(start: Callable[[], Stream[Piece, Result]], gone: threading.Event) -> Result:
    with closing(start()) as stream:
        for _ in stream:
            if gone.is_set():
                raise ClientDisconnect
        return stream.result()


async def sent(request: Request, pieces: Generator[bytes, None, None], media_type: str = EVENTS) -> StreamingResponse:
    """Return the answer that sends pieces as worker threads make them, and closes them when the client goes.

    The first is made before this returns: what it raises becomes an answer of its own. A fault after it is told as an
    event, where events are sent, and breaks off what is sent otherwise.
    """
    first = await run_in_threadpool(next, pieces)
    return _Sent(_all(first, pieces, request, media_type), pieces, media_type)


class _Sent(StreamingResponse):
    def __init__(self, content: Iterator[bytes], pieces: Generator[bytes, None, None], media_type: str) -> None:
        super().__init__(content, media_type=media_type, headers={"Cache-Control": "no-store"})
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._pieces.close)


def _all(first: bytes, pieces: Iterator[bytes], request: Request, media_type: str) -> Iterator[bytes]:
    yield first
    try:
        yield from pieces
    except Exception as error:
        if media_type != EVENTS:
            raise
        known = error if isinstance(error, KuamoError) else KuamoError("our_fault")
        if known is not error:
            LOG.exception("while an answer was sent")
        yield event(told(request, known))
