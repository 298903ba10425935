"""A limit on what a request may send, told before it is sent or while it is read."""

from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kuamo.api.failures import failure
from kuamo.errors import KuamoError

FORM_BYTES = 1_000_000  # what a form may have beside its file: the other fields and the seams
GONE: Message = {"type": "http.disconnect"}


class BodyLimit:
    """ASGI middleware that refuses a body larger than the largest file (and FORM_BYTES); the rest is not read."""

    def __init__(self, app: ASGIApp, megabytes: float) -> None:
        self._app = app
        self._megabytes = megabytes
        self._bytes = int(megabytes * 1e6) + FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        length = Headers(scope=scope).get("content-length", "")
        left = self._bytes - (int(length) if length.isdecimal() else 0)
        started = False

        async def limited_receive() -> Message:
            nonlocal left
            message = await receive()
            left -= 0 if length else len(message.get("body", b""))
            return GONE if left < 0 else message

        async def limited_send(message: Message) -> None:
            nonlocal started
            if started or left >= 0:  # what is made of half a body is not said
                started = True
                await send(message)

        if left >= 0:
            with suppress(ClientDisconnect):
                await self._app(scope, limited_receive, limited_send)
        if left < 0 and not started:
            refusal = failure(Request(scope), KuamoError("request_too_large", limit=self._megabytes))
            await refusal(scope, receive, send)
