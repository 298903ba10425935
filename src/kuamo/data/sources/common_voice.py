"""Common Voice: tab-separated tables (client_id, path, sentence, locale) beside a folder `clips`."""

from collections.abc import Iterator
from pathlib import Path

from kuamo.data.row import Dropped, Fault, Place, Row
from kuamo.data.sources.fields import Fields
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.records import read_records
from kuamo.data.sources.rows import Origin, rows_of

VALIDATED, TABLES = "validated.tsv", ("validated.tsv", "train.tsv", "dev.tsv", "test.tsv")


def fits(folder: Folder) -> bool:
    """Whether there is such a table beside `clips`."""
    return next(_tables(folder), None) is not None


def _tables(folder: Folder) -> Iterator[Path]:
    """Yield each language's validated clips; where that table is missing, those of its train, dev and test."""
    for file in folder.files(".tsv"):
        covered = folder.file is None and file.name != VALIDATED and file.with_name(VALIDATED).is_file()
        if file.name in TABLES and not covered and (file.parent / "clips").is_dir():
            yield file


def rows(folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield a row for each clip, with its speaker (client_id) and language (locale)."""
    for file in _tables(folder):
        for line, record in read_records(file, folder.limits):
            where = Place(folder.name(file), line or None)
            if isinstance(record, Fault):
                yield Dropped(where, record)
            else:
                yield from rows_of(record, Origin(where, file.parent / "clips", folder), fields)
