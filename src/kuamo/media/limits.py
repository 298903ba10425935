"""What a file may cost, checked before it is decoded."""

from dataclasses import dataclass
from pathlib import Path

from kuamo.errors import KuamoError


@dataclass(frozen=True)
class Limits:
    """The most that one input may have. Megabyte: 10^6 bytes; megapixel: 10^6 pixels."""

    megabytes: float = 100
    megapixels: float = 50
    seconds: float = 3 * 3600
    characters: int = 20_000


def read_bytes(source: Path | bytes, name: str, limits: Limits) -> bytes:
    """Return the content of a file, or the bytes as they are.

    Raises KuamoError file_not_found, file_empty or file_too_large (before anything is read).
    """
    if isinstance(source, Path) and not source.is_file():
        raise KuamoError("file_not_found", name=name)
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size == 0:
        raise KuamoError("file_empty", name=name)
    if size > limits.megabytes * 1e6:
        raise KuamoError("file_too_large", name=name, megabytes=size / 1e6, limit=limits.megabytes)
    return source.read_bytes() if isinstance(source, Path) else source


def name_of(source: Path | bytes, name: str | None) -> str:
    """Return what to call an input in messages: the given name's last part, the file's, or a general word."""
    if name:
        return Path(name.replace("\\", "/")).name or name
    return source.name if isinstance(source, Path) else "the input"
