"""Rows in pieces, for workers and files. Where a piece ends, its own rows say: one more row changes one piece."""

import zlib
from collections.abc import Iterable, Iterator

from kuamo.data.row import Dropped, Row

HELD_BYTES = 32_000_000  # of media in memory


class Piece(list[Row | Dropped]):
    """Rows that belong together, about `mean` of them."""

    def __init__(self, mean: int) -> None:
        super().__init__()
        self._mean = mean
        self._held = 0

    def take(self, row: Row | Dropped) -> bool:
        """Add a row; return whether the piece ends with it."""
        self.append(row)
        if isinstance(row, Row):
            self._held += sum(len(media.data or b"") for media in row.media)
        mark = zlib.crc32((row.id or str(row.where)).encode()) % self._mean
        return mark == 0 or len(self) >= 4 * self._mean or self._held >= HELD_BYTES


def in_pieces(rows: Iterable[Row | Dropped], mean: int) -> Iterator[Piece]:
    """Yield the rows in pieces."""
    piece = Piece(mean)
    for row in rows:
        if piece.take(row):
            yield piece
            piece = Piece(mean)
    if piece:
        yield piece
