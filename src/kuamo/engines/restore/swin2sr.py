"""Pictures sharper and larger by Swin2SR (Conde et al. 2022)."""

from collections.abc import Generator, Iterator
from itertools import product
from math import ceil, prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kuamo.contracts import Precision, RestoreRequest, RestoreStep
from kuamo.engines.checkpoint import HERE_ONLY, load_model, name_of, reading, unsupported
from kuamo.engines.placement import Placement, place
from kuamo.errors import KuamoError
from kuamo.media.image import Image

TILE = 128
"""The side of the tiles in which a picture is worked on, in pixels; it bounds the memory."""
OVERLAP = 16
"""How far the model sees around a tile, so that no seam shows, in pixels."""

Pixels = NDArray[np.uint8]


class Swin2Sr:
    """A Swin2SR that makes pictures 2, 4 or 8 times as large; what is more than asked for is averaged by area."""

    def __init__(self, model: Any, processor: Any, placement: Placement, source: str, deblurs: bool) -> None:
        self._model = model
        self._processor = processor
        self._dtype = placement.dtype
        self._name = name_of(source)
        self._deblurs = deblurs
        self.device = placement.device
        self.precision = placement.precision

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision, deblurs: bool = False) -> Self:
        """Load a checkpoint folder; int8 and nf4 mean "auto" here. `deblurs`: it was trained on blurred pictures too.

        Raises KuamoError model_unsupported: also where it does not enlarge, by 2, 4 or 8, or not in colour.
        """
        from transformers import AutoImageProcessor, Swin2SRForImageSuperResolution

        with reading(source, "restore"):
            processor = AutoImageProcessor.from_pretrained(source, **HERE_ONLY)
        placement = place(source, device, "auto" if precision in ("int8", "nf4") else precision)
        model = load_model(Swin2SRForImageSuperResolution, source, "restore", placement)
        if model.config.upscale not in (2, 4, 8) or model.config.num_channels_out != 3:
            reason = f"it enlarges {model.config.upscale} times, {model.config.num_channels_out} channels"
            raise unsupported(source, "restore", reason)
        return cls(model, processor, placement, source, deblurs)

    def restore(self, request: RestoreRequest) -> Generator[RestoreStep, None, Image]:
        """Yield a step for each tile done; return the picture. Raises KuamoError does_not_deblur."""
        if request.scale == 1 and not self._deblurs:
            raise KuamoError("does_not_deblur", name=self._name)
        pixels, factors = request.image.pixels, self._factors(request.scale)
        steps = sum(len(_corners(pixels.shape, prod(factors[:done]))) for done in range(len(factors)))
        step = 0
        for factor in factors:
            made = np.empty((pixels.shape[0] * factor, pixels.shape[1] * factor, 3), np.uint8)
            for top, left, tile in self._tiles(pixels, factor):
                made[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
                step += 1
                yield RestoreStep(step, steps)
            pixels = made
        return Image(pixels)

    def _factors(self, scale: int) -> list[int]:
        """How often the picture gets how much larger: as the model does, the last time by what is left of `scale`."""
        upscale = self._model.config.upscale
        return [scale] if scale <= upscale else [upscale, *self._factors(scale // upscale)]

    def _tiles(self, pixels: Pixels, factor: int) -> Iterator[tuple[int, int, Pixels]]:
        """Yield top, left and pixels of the enlarged tiles; around a picture, the model sees it mirrored."""
        window, (height, width) = self._model.config.window_size, pixels.shape[:2]
        margin = (OVERLAP, OVERLAP + window - 1)
        around = np.pad(pixels, (margin, margin, (0, 0)), "symmetric")
        for top, left in _corners(pixels.shape):
            high, wide = min(TILE, height - top), min(TILE, width - left)
            rows, columns = (ceil((side + 2 * OVERLAP) / window) * window for side in (high, wide))
            seen = around[top : top + rows, left : left + columns]
            yield top * factor, left * factor, self._enlarged(seen, factor)[: high * factor, : wide * factor]

    def _enlarged(self, seen: Pixels, factor: int) -> Pixels:
        """Return a tile without its overlap, `factor` times as large; the processor need not pad it."""
        import torch

        inputs = self._processor(seen, do_pad=False, return_tensors="pt").to(self.device, dtype=self._dtype)
        edge, shrink = OVERLAP * self._model.config.upscale, self._model.config.upscale // factor
        with torch.inference_mode():
            colours = self._model(**inputs).reconstruction[..., edge:-edge, edge:-edge].float().clamp(0, 1)
            colours = torch.nn.functional.avg_pool2d(colours, shrink)[0].permute(1, 2, 0)
        tile: Pixels = (colours * 255).round().byte().cpu().numpy()
        return tile


def _corners(shape: tuple[int, ...], scale: int = 1) -> list[tuple[int, int]]:
    """The top left corners of a picture's tiles, once it is `scale` times as large."""
    return list(product(range(0, shape[0] * scale, TILE), range(0, shape[1] * scale, TILE)))
