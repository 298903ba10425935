"""The media of a built data set: each content once, under a name made from it."""

from pathlib import Path, PurePosixPath
from typing import Any

from kuamo.data.files import write
from kuamo.data.measure import digest
from kuamo.data.row import Media, Row
from kuamo.errors import KuamoError

FOLDER = "media"


def stored(fact: dict[str, Any]) -> str:
    """Return where a medium of these facts lies in the data set: media/ab/abcd….jpg."""
    return str(PurePosixPath(FOLDER, fact["sha256"][:2], fact["sha256"] + fact["ending"]))


def content(media: Media, fact: dict[str, Any]) -> bytes:
    """Return a medium's bytes. Raises KuamoError source_changed where they are no longer those that were checked."""
    data = media.read()
    if digest(data) != fact["sha256"]:
        raise KuamoError("source_changed", name=media.name)
    return data


def store(row: Row, out: Path) -> None:
    """Copy a row's media into the data set, those that it does not have yet."""
    for media, fact in zip(row.media, row.facts["media"], strict=True):
        path = out / stored(fact)
        if not path.exists() or path.stat().st_size != fact["bytes"]:  # its size tells what a loss of power cut
            write(path, content(media, fact), out, safe=False)


def image_paths(row: Row) -> list[str]:
    """Return where the row's pictures lie in the data set."""
    return [stored(fact) for fact in row.facts["media"][: len(row.images)]]


def audio_path(row: Row) -> str | None:
    """Return where the row's sound lies in the data set; None where it has none."""
    return stored(row.facts["media"][-1]) if row.audio else None
