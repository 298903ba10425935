"""Tables: JSON lines, JSON arrays, CSV, TSV and Parquet; so also LLaVA's and ShareGPT's JSON, NeMo's manifests, and
folders of pictures or sounds with their `metadata` (as `kuamo world sample` writes them)."""

from collections.abc import Iterator
from pathlib import Path

from kuamo.data.row import Dropped, Fault, Place, Row
from kuamo.data.sources.fields import Fields
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.records import ENDINGS, read_records
from kuamo.data.sources.rows import Origin, rows_of

METADATA = tuple(f"metadata{ending}" for ending in ENDINGS)


def fits(folder: Folder) -> bool:
    """Whether there is a table."""
    return folder.has(*ENDINGS)


def rows(folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield the rows of each table, in order of the files' names; where there are `metadata` files, of these alone.

    Media are named from the table's own folder, or from the source's.
    """
    for file in folder.files(*(METADATA if folder.has(*METADATA) else ENDINGS)):
        yield from table_rows(file, folder, fields)


def table_rows(file: Path, folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield the rows of one table."""
    name, near = folder.name(file), file.parent
    for line, record in read_records(file, folder.limits):
        where = Place(name, line or None)
        if isinstance(record, Fault):
            yield Dropped(where, record)
        else:
            yield from rows_of(record, Origin(where, near, folder), fields)
