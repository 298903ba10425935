"""The server process: listens, serves, and ends quietly."""

import errno
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn

from kuamo.errors import KuamoError
from kuamo.settings import Settings

BACKLOG = 256
GRACE_SECONDS = 3  # what requests under way get after Ctrl-C


def serve(app: Any, settings: Settings, listening: Callable[[str], None]) -> None:
    """Serve an ASGI application until Ctrl-C; `listening` is called with the address once it can be reached.

    Ends the process where a model is still at work after GRACE_SECONDS: it cannot be interrupted.
    Raises KuamoError port_in_use or cannot_listen.
    """
    with _listen(settings.host, settings.port) as listener:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        listening(f"http://{host}:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_SECONDS
        )
        with suppress(KeyboardInterrupt):
            _Server(config).run([listener])
    if any(thread is not threading.current_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        os._exit(0)


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what is cut off on the way out is no news
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise KuamoError("port_in_use", port=port) from error
        raise KuamoError("cannot_listen", host=host, port=port, reason=error.strerror) from error
