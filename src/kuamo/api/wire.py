"""What the routes of OpenAI's protocol share: how JSON is read, and the pictures and sounds in it."""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic_core import from_json

from kuamo.api.uploads import Uploads
from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits

UPLOAD = re.compile(r"(?:https?://[^/]+)?(?:/?uploads/)?([0-9a-f]{32})")


class _Strict(Request):
    async def json(self) -> Any:
        return await run_in_threadpool(from_json, await self.body(), allow_inf_nan=False)


class StrictRoute(APIRoute):
    """A route whose JSON is text in Unicode and finite numbers, and is read in a worker thread."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_Strict(request.scope, request.receive))

        return strictly


def supported(field: str, value: object, *possible: object) -> None:
    """Raise KuamoError parameter_unsupported unless a field has one of the values that can be served."""
    if value not in possible:
        raise KuamoError("parameter_unsupported", field=field, possible=json.dumps(possible[-1]))


def decode(data: str) -> bytes:
    """Return what base64 holds. Raises KuamoError base64_broken."""
    try:
        return b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KuamoError("base64_broken") from error


class Pictures:
    """The pictures of one request, which together may have no more pixels than one file."""

    def __init__(self, uploads: Uploads, limits: Limits) -> None:
        self._uploads = uploads
        self._limits = limits

    def read(self, url: str) -> Image:
        """Return the picture of a data URL or of an address under /uploads; no other server is asked.

        Raises KuamoError base64_broken, upload_gone, picture_not_fetched, and what `read_image` raises.
        """
        image = read_image(self._bytes(url), self._limits, "image")
        left = self._limits.megapixels - image.width * image.height / 1e6
        self._limits = replace(self._limits, megapixels=left)
        return image

    def _bytes(self, url: str) -> bytes:
        if url.startswith("data:"):
            head, _, data = url.partition(",")
            if not head.endswith(";base64"):
                raise KuamoError("base64_broken")
            return decode(data)
        if kept := UPLOAD.fullmatch(url):
            return self._uploads.read(kept[1])
        raise KuamoError("picture_not_fetched")
