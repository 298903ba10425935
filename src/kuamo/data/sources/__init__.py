"""Sources of rows, one file a kind: each says whether it `fits` a folder, and yields its `rows` one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kuamo.data.row import Dropped, Fault, Place, Row
from kuamo.data.sources import coco, common_voice, pairs, speech_tree, subtitles, table, webdataset
from kuamo.data.sources.fields import Fields
from kuamo.data.sources.folder import Folder
from kuamo.errors import KuamoError


@dataclass(frozen=True)
class Kind:
    """A kind of source."""

    fits: Callable[[Folder], bool]
    rows: Callable[[Folder, Fields], Iterator[Row | Dropped]]


KINDS = {
    "subtitles": Kind(subtitles.fits, subtitles.rows),
    "speech-tree": Kind(speech_tree.fits, speech_tree.rows),
    "common-voice": Kind(common_voice.fits, common_voice.rows),
    "coco": Kind(coco.fits, coco.rows),
    "webdataset": Kind(webdataset.fits, webdataset.rows),
    "table": Kind(table.fits, table.rows),
    "pairs": Kind(pairs.fits, pairs.rows),
}
"""The kinds by their names; the first that fits is taken."""


def kind_of(folder: Folder) -> str:
    """Return the name of the kind that a source is. Raises KuamoError no_kind where none fits."""
    for name, kind in KINDS.items():
        if kind.fits(folder):
            return name
    raise KuamoError("no_kind", name=folder.file or folder.root, possible=", ".join(KINDS))


def read_rows(folder: Folder, kind: str, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield the rows of a source in an order that stays, and what had to be left out, each where it stood."""
    try:
        yield from KINDS[kind].rows(folder, fields)
    except OSError as error:
        name = folder.name(Path(error.filename)) if error.filename else str(folder.file or folder.root)
        yield Dropped(Place(name), Fault("file_unreadable", {"name": name, "reason": error.strerror or str(error)}))
    yield from folder.dropped
