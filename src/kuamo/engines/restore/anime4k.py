"""Pictures larger by Anime4KCPP's ARNet, a small residual network inside its package; sharper by deconvolution."""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Self

import numpy as np

from kuamo.contracts import Precision, RestoreRequest, RestoreStep
from kuamo.engines.deblurring import blur_of, sharpened
from kuamo.engines.tiles import Pixels, count, tiles
from kuamo.media.image import Image

TILE, OVERLAP = 512, 16
"""The side of the tiles in which a picture is worked on, and how far it is seen around them, in pixels."""
NETWORK = "arnet-hdn"
"""The one of the package's networks that is closest to the truth, on drawings and photographs."""
MEASURED = 1_024
"""The blur is measured on the middle of a picture, at most so many pixels wide and high."""


class Anime4k:
    """ARNet twice or four times as large; at its own size, a Richardson-Lucy deconvolution of the blur it measures."""

    device = "cpu"
    precision = "fp32"

    def __init__(self, network: Any) -> None:
        self._network = network

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load the network inside the package."""
        from pyanime4k.pyac import pyac

        return cls(pyac.core.Processor("cpu", 0, NETWORK))

    def restore(self, request: RestoreRequest) -> Generator[RestoreStep, None, Image]:
        """Yield a step for each tile done; return the picture."""
        image, scale = request.image, request.scale
        work = self._deblurring(image) if scale == 1 else partial(self._enlarged, scale=scale)
        made = np.empty((image.height * scale, image.width * scale, 3), np.uint8)
        steps = count(image.height, image.width, TILE)
        for step, tile in enumerate(tiles(image.pixels, TILE, OVERLAP), 1):
            top, left, high, wide = (scale * edge for edge in (tile.top, tile.left, tile.height, tile.width))
            edge = scale * OVERLAP
            made[top : top + high, left : left + wide] = work(tile.seen)[edge : edge + high, edge : edge + wide]
            yield RestoreStep(step, steps)
        return Image(made)

    def _enlarged(self, pixels: Pixels, scale: int) -> Pixels:
        enlarged: Pixels = self._network(np.ascontiguousarray(pixels), float(scale))
        return enlarged

    def _deblurring(self, image: Image) -> Callable[[Pixels], Pixels]:
        top, left = (max(0, side - MEASURED) // 2 for side in (image.height, image.width))
        blur = blur_of(image.pixels[top : top + MEASURED, left : left + MEASURED].astype(np.float32) / np.float32(255))

        def deblur(pixels: Pixels) -> Pixels:
            return (sharpened(pixels.astype(np.float32) / np.float32(255), blur) * 255).round().astype(np.uint8)

        return deblur
