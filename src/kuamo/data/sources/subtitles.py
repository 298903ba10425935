"""A video or a recording with its subtitles beside it: name.mp4 and name.srt, name.vtt or name.zh.srt."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from kuamo.data.row import Dropped, Fault, Media, Place, Row
from kuamo.data.sources.fields import SOUNDS, Fields
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.rows import Origin, rows_of
from kuamo.errors import KuamoError
from kuamo.media.text import read_text

LANGUAGE = re.compile(r"\.([a-z]{2,3}(?:-[A-Za-z]+)?)")


def fits(folder: Folder) -> bool:
    """Whether a video or a recording has its subtitles beside it."""
    return any(_spoken(file) for file in folder.files(".srt", ".vtt"))


def _spoken(file: Path) -> tuple[Path, str | None] | None:
    """Return the video or recording of a file of subtitles, and the language that its name tells."""
    language = LANGUAGE.fullmatch(file.with_suffix("").suffix)
    stems = [file.with_suffix(""), *([file.with_suffix("").with_suffix("")] if language else [])]
    for number, stem in enumerate(stems):
        for sound in (stem.with_name(stem.name + ending) for ending in SOUNDS):
            if sound.is_file():
                return sound, language[1] if language and number else None
    return None


def rows(folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield a row for each subtitle: its text and that stretch of the sound; all of one video are one group."""
    for file in folder.files(".srt", ".vtt"):
        found = _spoken(file)
        if not found:
            yield Dropped(Place(folder.name(file)), Fault("no_recording", {"name": file.name}))
            continue
        try:
            cues = _cues(read_text(file, folder.limits), file.name)
            sound = folder.media(found[0].name, file.parent)
        except KuamoError as error:
            yield Dropped(Place(folder.name(file)), Fault.of(error))
            continue
        for number, cue in enumerate(cues, 1):
            where = Place(folder.name(file), number)
            record = _record(cue, sound, found[1])
            yield from rows_of(record, Origin(where, file.parent, folder), fields)


def _cues(text: str, name: str) -> list[Any]:
    import pysubs2

    try:
        return list(pysubs2.SSAFile.from_string(text).events)
    except pysubs2.exceptions.Pysubs2Error as error:
        raise KuamoError("not_subtitles", name=name) from error


def _record(cue: Any, sound: Media, language: str | None) -> dict[str, Any]:
    start, end = cue.start / 1000, cue.end / 1000
    stretch = replace(sound, start_seconds=start, end_seconds=max(end, start))
    text = " ".join(cue.plaintext.split())
    times = {"start_seconds": start, "end_seconds": end}
    return {"audio": stretch, "text": text, "language": language, "group": sound.name, **times}
