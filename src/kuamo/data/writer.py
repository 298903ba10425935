"""Rows into files: those of a split are gathered to pieces, which the workers write in the wanted forms."""

import json
from collections import deque
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path

from kuamo.data.files import WORK
from kuamo.data.measure import digest, versions
from kuamo.data.outputs import OUTPUTS
from kuamo.data.outputs.media import store
from kuamo.data.pieces import Piece
from kuamo.data.row import Row

PARTS = WORK / "parts"
MEAN = 1000  # rows of a part


class Writer:
    """Takes the rows of each split in their order."""

    def __init__(
        self, splits: tuple[str, ...], formats: tuple[str, ...], out: Path, pool: Executor, ahead: int
    ) -> None:
        self._write = partial(write_part, formats=formats, out=out)
        self._pool, self._ahead = pool, ahead
        self._pieces = {split: Piece(MEAN) for split in splits}
        self._parts: dict[str, list[Future[str]]] = {split: [] for split in splits}
        self._unfinished: deque[Future[str]] = deque()

    def add(self, split: str, row: Row) -> None:
        """Add a row to a split."""
        if self._pieces[split].take(row):
            self._send(split)

    def _send(self, split: str) -> None:
        part = self._pool.submit(self._write, self._pieces[split])
        self._pieces[split] = Piece(MEAN)
        self._parts[split].append(part)
        self._unfinished.append(part)
        if len(self._unfinished) > self._ahead:
            self._unfinished.popleft().result()

    def close(self) -> dict[str, list[str]]:
        """Write what is left; return the keys of each split's parts in order."""
        for split, piece in self._pieces.items():
            if piece:
                self._send(split)
        return {split: [part.result() for part in parts] for split, parts in self._parts.items()}


def write_part(rows: list[Row], *, formats: tuple[str, ...], out: Path) -> str:
    """Write rows in each form, unless an earlier run did; return the key that stands for their content.

    Raises KuamoError source_changed or cannot_write.
    """
    key = _key(rows)
    if any(OUTPUTS[name].refers for name in formats):
        for row in rows:
            store(row, out)
    for name in formats:
        path = part_path(name, key, out)
        if not path.exists():
            OUTPUTS[name].write_part(rows, path, out)
    return key


def part_path(name: str, key: str, out: Path) -> Path:
    """Return where a part of a form lies; that of a form that holds absolute paths depends on `out`."""
    return out / PARTS / f"{name}-{digest(f'{key} {versions()} {out}'.encode())[:32]}{OUTPUTS[name].ending}"


def _key(rows: list[Row]) -> str:
    told = [
        [
            row.id,
            row.texts,
            row.language,
            row.group,
            dict(row.extra),
            row.facts["media"],
            len(row.images),
            row.where.file,
        ]
        for row in rows
    ]
    return digest(json.dumps(told, sort_keys=True).encode())
