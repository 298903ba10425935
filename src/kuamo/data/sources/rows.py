"""Records made into rows."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kuamo.data.row import Dropped, Fault, Media, Place, Row
from kuamo.data.sources.fields import (
    IN_LANGUAGE,
    LONGEST_SECONDS,
    MISSING,
    QUESTIONS,
    STRETCH,
    Fields,
    Found,
    all_said,
    images_in,
    is_sound,
    text_of,
)
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.records import Record
from kuamo.errors import KuamoError


@dataclass(frozen=True)
class Origin:
    """Where a record stands, and the folder from which it names its media."""

    where: Place
    near: Path
    folder: Folder


def rows_of(record: Record, origin: Origin, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield the rows of a record: one, or one for each caption and question; what cannot be used as Dropped."""
    try:
        yield from _rows(record, origin, fields)
    except KuamoError as error:
        given = record.get("id")
        yield Dropped(origin.where, Fault.of(error), str(given) if isinstance(given, str | int) else None)


def _rows(record: Record, origin: Origin, fields: Fields) -> Iterator[Row]:
    found = fields.find(record)
    pictured, heard = _media_fields(found)
    images, audio = _images(pictured, found, origin), _sound(heard, record, origin)
    given, group = text_of("id", found), text_of("group", found)
    said = all_said(record, found)
    extra = _unused(record, {pictured[0], heard[0], *(name for role, (name, _) in found.items() if role != "file")})
    for number, one in enumerate(said, 1):
        row = Row(
            id=given or "", where=origin.where, images=images, audio=audio, text=one.text, question=one.question,
            answer=one.answer, messages=one.messages, language=one.language, group=group, extra={**extra, **one.extra},
        )  # fmt: skip
        yield row if given and len(said) == 1 else replace(row, id=f"{given}-{number}" if given else id_of(row))


def id_of(row: Row) -> str:
    """Return an id made from a row's content (16 hexadecimal digits), the same wherever the row stands."""
    media = [(one.name, one.start_seconds, one.end_seconds) for one in row.media]
    return hashlib.sha256(json.dumps([media, row.texts, row.language]).encode()).hexdigest()[:16]


def _unused(record: Record, used: set[str]) -> Record:
    """Return the fields that are not in the row already, and no bytes."""
    return {
        name: value
        for name, value in record.items()
        if name not in used and name != QUESTIONS and not IN_LANGUAGE.fullmatch(name) and _is_json(value)
    }


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    return all(map(_is_json, value)) if isinstance(value, list) else not isinstance(value, bytes | Media)


# --- media


def _media_fields(found: Found) -> tuple[tuple[str, Any], tuple[str, Any]]:
    """Return the field of the pictures and that of the sound; a field of a file is the one or the other."""
    pictured, heard, file = found["image"], found["audio"], found["file"]
    if pictured[0] or heard[0]:
        return pictured, heard
    return (MISSING, file) if isinstance(file[1], str) and is_sound(file[1]) else (file, MISSING)


def _images(pictured: tuple[str, Any], found: Found, origin: Origin) -> tuple[Media, ...]:
    name, value = pictured
    named = value if isinstance(value, list) else [] if value is None else [value]
    named = named or images_in(found["messages"][1])
    return tuple(_media(name or "messages", one, origin) for one in named)


def _sound(heard: tuple[str, Any], record: Record, origin: Origin) -> Media | None:
    name, value = heard
    if value is None:
        return None
    media = _media(name, value, origin)
    start, length = (record.get(one) for one in STRETCH)
    if start is None or length is None:
        return media
    if not all(isinstance(one, int | float) and 0 <= one <= LONGEST_SECONDS for one in (start, length)):
        raise KuamoError("field_unfit", field=STRETCH[0])
    return replace(media, start_seconds=float(start), end_seconds=float(start + length))


def _media(field: str, value: Any, origin: Origin) -> Media:
    """Return what a field names (a path), holds (bytes), or both, as Parquet files of Hugging Face have it."""
    match value:
        case Media():
            return value
        case str() if value:
            return origin.folder.media(value, origin.near)
        case bytes():
            return _held(value, None, origin)
        case {"bytes": bytes(data), "path": str(name)}:
            return _held(data, name, origin)
        case {"bytes": bytes(data)}:
            return _held(data, None, origin)
        case {"path": str(name)}:
            return origin.folder.media(name, origin.near)
    raise KuamoError("field_unfit", field=field)


def _held(data: bytes, name: str | None, origin: Origin) -> Media:
    return Media(name or hashlib.sha256(data).hexdigest()[:16], data=data, limits=origin.folder.limits)
