"""Pairs of files of one name: a picture or a sound, and name.txt with its text."""

from collections.abc import Iterator

from kuamo.data.row import Dropped, Fault, Place, Row
from kuamo.data.sources.fields import SOUNDS, Fields, is_sound
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.rows import Origin, rows_of
from kuamo.data.sources.webdataset import IMAGES
from kuamo.errors import KuamoError
from kuamo.media.text import read_text


def fits(folder: Folder) -> bool:
    """Whether a picture or a sound has its text beside it."""
    return any(file.with_suffix(".txt").is_file() for file in folder.files(*SOUNDS, *IMAGES))


def rows(folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield a row for each picture and sound; one without its text is dropped."""
    for file in folder.files(*SOUNDS, *IMAGES):
        where = Place(folder.name(file))
        try:
            text = read_text(file.with_suffix(".txt"), folder.limits).strip()
        except KuamoError as error:
            yield Dropped(where, Fault.of(error))
            continue
        record = {"audio" if is_sound(file.name) else "image": file.name, "text": text}
        yield from rows_of(record, Origin(where, file.parent, folder), fields)
