"""Pictures that were asked about, kept for a while under names that cannot be guessed."""

import asyncio
import re
import secrets
import time
from io import BytesIO
from pathlib import Path

from fastapi import APIRouter, Response

from kuamo.api.failures import Failure
from kuamo.errors import KuamoError
from kuamo.media.image import Image

NAME_BYTES = 16
NAME = re.compile(r"[0-9a-f]{32}")
SWEEP_SECONDS = 60.0
SEALED = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-store"}


class Uploads:
    """A folder of pictures, each written anew from its pixels: nothing of the file that was sent is kept."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds

    def keep(self, image: Image) -> str:
        """Write a picture as PNG and return its name, 128 random bits in hex."""
        name = secrets.token_hex(NAME_BYTES)
        buffer = BytesIO()
        image.pil().save(buffer, "PNG", compress_level=1)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path(name).write_bytes(buffer.getvalue())
        return name

    def read(self, name: str) -> bytes:
        """Return a picture as PNG. Raises KuamoError upload_gone for one that never was, or whose time is over."""
        if not NAME.fullmatch(name):
            raise KuamoError("upload_gone")
        try:
            if self._is_old(self._path(name)):
                raise KuamoError("upload_gone")
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise KuamoError("upload_gone") from error

    def sweep(self) -> None:
        """Delete the pictures whose time is over."""
        for path in self._folder.glob("*.png"):
            if self._is_old(path):
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.png"

    def _is_old(self, path: Path) -> bool:
        return time.time() - path.stat().st_mtime >= self._seconds


async def sweep_regularly(uploads: Uploads) -> None:
    """Sweep now, which finds what an earlier run left, and every minute from now on."""
    while True:
        await asyncio.to_thread(uploads.sweep)
        await asyncio.sleep(SWEEP_SECONDS)


def router(uploads: Uploads) -> APIRouter:
    """Return the route GET /uploads/{name}."""
    routes = APIRouter(tags=["pictures"])

    @routes.get("/uploads/{name}", summary="A picture that was asked about", response_class=Response, responses={
        200: {"content": {"image/png": {}}}, 404: {"model": Failure}, 422: {"model": Failure},
    })  # fmt: skip
    def upload(name: str) -> Response:
        """Return a picture that was asked about, until its time is over."""
        return Response(uploads.read(name), media_type="image/png", headers=SEALED)

    return routes
