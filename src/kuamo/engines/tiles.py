"""A picture in tiles that overlap, so that a model of any appetite needs bounded memory and leaves no seam."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Tile:
    """Where a tile lies, in pixels, and what is seen of and around it: uint8, at least `overlap` more on each side."""

    top: int
    left: int
    height: int
    width: int
    seen: Pixels = field(repr=False)


def count(height: int, width: int, side: int) -> int:
    """Return how many tiles of side × side pixels cover a picture."""
    return ceil(height / side) * ceil(width / side)


def tiles(pixels: Pixels, side: int, overlap: int, multiple: int = 1) -> Iterator[Tile]:
    """Yield the tiles of a picture (height, width, 3), mirrored around; what is seen is a multiple of so many pixels.

    It lies with `overlap` pixels above and to the left of the tile, and as many or more below and to the right.
    """
    height, width = pixels.shape[:2]
    margin = (overlap, overlap + multiple - 1)
    around = np.pad(pixels, (margin, margin, (0, 0)), "symmetric")
    for top in range(0, height, side):
        for left in range(0, width, side):
            high, wide = min(side, height - top), min(side, width - left)
            rows, columns = (ceil((edge + 2 * overlap) / multiple) * multiple for edge in (high, wide))
            yield Tile(top, left, high, wide, around[top : top + rows, left : left + columns])
