"""WebDataset: tar files whose members belong together by what stands before the first dot of their names."""

import tarfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from kuamo.data.row import Dropped, Fault, Media, Place, Row
from kuamo.data.sources.fields import Fields, is_sound
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.records import Record, parse_object
from kuamo.data.sources.rows import Origin, rows_of
from kuamo.errors import KuamoError

PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff")
TEXTS = (".txt", ".text", ".caption", ".transcript")
TEXT_BYTES = 1_000_000


def fits(folder: Folder) -> bool:
    """Whether there is a tar file."""
    return folder.has(".tar", *PACKED)


def rows(folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield a row for each key: pictures and sounds by their endings, .txt as text, the fields of .json beside them."""
    for file in folder.files(".tar", *PACKED):
        for number, (key, members) in enumerate(groupby(_members(file, folder), key=lambda one: one[0]), 1):
            where = Place(folder.name(file), number)
            record = _record(key, [(ending, media) for _, ending, media in members])
            if isinstance(record, Fault):
                yield Dropped(where, record, key or None)
            else:
                yield from rows_of(record, Origin(where, file.parent, folder), fields)


def _members(file: Path, folder: Folder) -> Iterator[tuple[str, str, Media | Fault]]:
    """Yield key, ending and content of each member; where the file breaks off, a Fault under a key of its own."""
    try:
        yield from _whole_members(file, folder)
    except (tarfile.TarError, EOFError, OSError):
        yield "", "", Fault("rest_unreadable")


def _whole_members(file: Path, folder: Folder) -> Iterator[tuple[str, str, Media]]:
    """Yield the members; the content of a packed tar is held, that of a plain one read when it is asked for."""
    packed = file.name.lower().endswith(PACKED)
    with tarfile.open(file, "r|*" if packed else "r:") as tar:
        while member := tar.next():
            tar.members = []  # type: ignore[attr-defined]  # it would keep every one
            path = PurePosixPath(member.name)
            stem, _, ending = path.name.partition(".")
            if not member.isreg() or not stem:
                continue
            name = f"{folder.name(file)}/{member.name}".encode(errors="backslashreplace").decode()
            place: dict[str, Any] = {"file": file, "offset": member.offset_data, "size": member.size}
            if packed:
                opened = tar.extractfile(member)
                place = {"data": opened.read(int(folder.limits.megabytes * 1e6) + 1) if opened else b""}
            yield str(path.with_name(stem)), f".{ending.lower()}", Media(name, **place, limits=folder.limits)


def _record(key: str, members: list[tuple[str, Media | Fault]]) -> Record | Fault:
    record: Record = {"key": key}
    for ending, media in members:
        if isinstance(media, Fault):
            return media
        last = "." + ending.rpartition(".")[2]
        if last in IMAGES:
            record.setdefault("images", []).append(media)
        elif is_sound(media.name):
            record["audio"] = media
        elif last in (*TEXTS, ".json", ".cls"):
            told = _told(last, media)
            if isinstance(told, Fault):
                return told
            record = told | record
    return record


def _told(ending: str, media: Media) -> Record | Fault:
    """Return what a member says in words: the fields of a .json, the text of any other."""
    try:
        content = media.read() if (media.size or 0) <= TEXT_BYTES else None
    except KuamoError as error:
        return Fault.of(error)
    if content is None:
        return Fault("line_too_long", {"limit": TEXT_BYTES / 1e6})
    if ending == ".json":
        return parse_object(content)
    try:
        return {"label" if ending == ".cls" else "text": content.decode("utf-8-sig").strip()}
    except UnicodeDecodeError:
        return Fault("line_not_text")
