"""The vectors of a folder's pictures, kept in that folder by LanceDB: each write is there as a whole or not at all."""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kuamo.errors import KuamoError

PLACE = Path(".kuamo") / "index"
TABLE = "pictures"
KEPT = timedelta(hours=1)  # older states are kept so long, for searches that still read them


@dataclass(frozen=True)
class Stamp:
    """What tells a changed file: its size in bytes and the time of its last change in nanoseconds since 1970."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Maker:
    """The model that made an index; vectors of another, or of another revision, cannot be compared with it."""

    model: str
    revision: str

    def __str__(self) -> str:
        return f"{self.model}@{self.revision}"


@dataclass(frozen=True)
class Entry:
    """A picture: its path in the folder (parts joined by /), its stamp, its size in pixels and its unit vector (d)."""

    path: str
    stamp: Stamp
    width: int
    height: int
    vector: NDArray[np.float32]

    def row(self) -> dict[str, Any]:
        """Return the entry as the table keeps it."""
        own = {"path": self.path, "width": self.width, "height": self.height, "vector": self.vector}
        return own | asdict(self.stamp)


@dataclass(frozen=True)
class Hit:
    """A picture found, its size in pixels; score is the cosine similarity to the query, -1 to 1."""

    path: Path
    score: float
    width: int
    height: int


class PictureIndex:
    """The index of one folder; many may read it while one writes. Its methods raise KuamoError index_unusable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _usable(folder):
            self._store = _connect(folder / PLACE)
            found = TABLE in self._store.list_tables().tables
            self._table: Any = self._store.open_table(TABLE) if found else None

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return a folder's index, to search in it. Raises KuamoError no_folder, no_index or search_missing."""
        _check(folder)
        if not (folder / PLACE / f"{TABLE}.lance").is_dir():
            raise KuamoError("no_index", name=folder, folder=shlex.quote(str(folder)))
        return cls(folder)

    @classmethod
    @contextmanager
    def writing(cls, folder: Path) -> Iterator[Self]:
        """Give a folder's index, begun where there is none, to the one who changes it.

        Raises KuamoError no_folder, cannot_write, search_missing, or index_in_use where another has it.
        """
        _check(folder)
        with _alone(folder):
            yield cls(folder)

    @property
    def maker(self) -> Maker | None:
        """The model that made it; None where nothing was ever added."""
        if self._table is None:
            return None
        told = self._table.schema.metadata
        return Maker(told[b"model"].decode(), told[b"revision"].decode())

    def stamps(self) -> dict[str, Stamp]:
        """Return the stamp that each picture had when it was added, by path."""
        if self._table is None:
            return {}
        with _usable(self._folder):
            rows = self._table.search().select(["path", "size", "mtime_ns"]).limit(None).to_list()
        return {row["path"]: Stamp(row["size"], row["mtime_ns"]) for row in rows}

    def add(self, entries: list[Entry], maker: Maker) -> None:
        """Add pictures that are not in it; where another model made it, they replace all that it has."""
        with _usable(self._folder):
            if self.maker != maker:
                schema = _schema(maker, entries[0].vector.size)
                self._table = self._store.create_table(TABLE, schema=schema, mode="overwrite")
            self._table.add([entry.row() for entry in entries])

    def remove(self, paths: list[str]) -> None:
        """Remove pictures by path."""
        if self._table is None or not paths:
            return
        from lancedb.expr import col

        with _usable(self._folder):
            self._table.delete(col("path").isin(paths))

    def nearest(self, vector: NDArray[np.float32], count: int) -> list[Hit]:
        """Return the pictures nearest to a unit vector (d) by cosine similarity, exactly, best first."""
        if self._table is None:
            return []
        wanted = self._table.search(vector).distance_type("cosine").select(["path", "width", "height", "_distance"])
        with _usable(self._folder):
            rows = wanted.limit(count).to_list()
        return [Hit(self._folder / row["path"], 1 - row["_distance"], row["width"], row["height"]) for row in rows]

    def tidy(self) -> None:
        """Join the small files that many writes leave, and drop the states before them that are older than KEPT."""
        if self._table is not None:
            with _usable(self._folder):
                self._table.optimize(cleanup_older_than=KEPT)


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise KuamoError("no_folder", name=folder)


def _connect(place: Path) -> Any:
    os.environ.setdefault("LANCEDB_LOG", "error")  # it warns of a table that is made
    try:
        import lancedb
    except ModuleNotFoundError as error:
        raise KuamoError("search_missing", package=error.name) from error
    return lancedb.connect(place)


def _schema(maker: Maker, dimensions: int) -> Any:
    import pyarrow

    columns = {
        "path": pyarrow.utf8(),
        "size": pyarrow.int64(),
        "mtime_ns": pyarrow.int64(),
        "width": pyarrow.int32(),
        "height": pyarrow.int32(),
        "vector": pyarrow.list_(pyarrow.float32(), dimensions),
    }
    return pyarrow.schema(columns, metadata=asdict(maker))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other writers out until the end of the block or of the process, however it ends."""
    try:
        import filelock
    except ModuleNotFoundError as error:
        raise KuamoError("search_missing", package=error.name) from error
    lock = filelock.FileLock(folder / PLACE.with_suffix(".lock"), timeout=0)
    try:
        (folder / PLACE).mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise KuamoError("index_in_use", name=folder) from error
    except OSError as error:
        raise KuamoError("cannot_write", name=folder / PLACE, reason=error.strerror) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Tell what LanceDB meets in its files (damage, a full disk) in one sentence; it has no exceptions of its own."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        reason = re.sub(r"^lance error: |, /\S+$", "", str(error).splitlines()[0])
        place = shlex.quote(str(folder / PLACE))
        raise KuamoError("index_unusable", name=folder / PLACE, reason=reason, place=place) from error
