"""Files that are whole or absent."""

import secrets
from pathlib import Path

from kuamo.errors import KuamoError


def write(path: Path, data: bytes) -> None:
    """Write a file through a neighbour that takes its name when it is whole. Raises KuamoError cannot_write."""
    part = path.with_name(f".kuamo-{secrets.token_hex(8)}.part")
    try:
        if path.exists() and not path.is_file():  # a device or a pipe
            path.write_bytes(data)
            return
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise KuamoError("cannot_write", name=path, reason=error.strerror) from error
