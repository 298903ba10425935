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
    prompt_characters: int = 2_000


def read_bytes(source: Path | bytes, name: str, limits: Limits) -> bytes:
    """Return the content of a file, or the bytes as they are.

    Raises KuamoError file_not_found, file_is_folder, file_unreadable, file_empty or file_too_large (before anything
    is read).
    """
    if isinstance(source, bytes):
        _check_size(len(source), name, limits)
        return source
    try:
        if source.is_dir():
            raise KuamoError("file_is_folder", name=name)
        if not source.is_file():
            raise KuamoError("file_not_found", name=name)
        _check_size(source.stat().st_size, name, limits)
        return source.read_bytes()
    except OSError as error:
        raise KuamoError("file_unreadable", name=name, reason=error.strerror) from error


def _check_size(size: int, name: str, limits: Limits) -> None:
    if size == 0:
        raise KuamoError("file_empty", name=name)
    if size > limits.megabytes * 1e6:
        raise KuamoError("file_too_large", name=name, megabytes=size / 1e6, limit=limits.megabytes)


def name_of(source: Path | bytes, name: str | None) -> str:
    """Return what to call an input in messages: the given name's last part, the file's, or a general word."""
    if name:
        return Path(name.replace("\\", "/")).name or name
    return (source.name or str(source)) if isinstance(source, Path) else "the input"
