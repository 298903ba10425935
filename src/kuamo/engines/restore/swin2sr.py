"""Pictures sharper and larger by Swin2SR (Conde et al. 2022)."""

from collections.abc import Generator
from itertools import accumulate
from operator import mul
from typing import Any, Self

import numpy as np

from kuamo.contracts import Precision, RestoreRequest, RestoreStep
from kuamo.engines.checkpoint import HERE_ONLY, load_model, name_of, reading, unsupported
from kuamo.engines.placement import Placement, place
from kuamo.engines.tiles import Pixels, Tile, count, tiles
from kuamo.errors import KuamoError
from kuamo.media.image import Image

TILE = 128
"""The side of the tiles in which a picture is worked on, in pixels; it bounds the memory."""
OVERLAP = 16
"""How far the model sees around a tile, so that no seam shows, in pixels."""


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
        widths = accumulate(factors[:-1], mul, initial=1)
        steps = sum(count(request.image.height * wide, request.image.width * wide, TILE) for wide in widths)
        step = 0
        for factor in factors:
            made = np.empty((pixels.shape[0] * factor, pixels.shape[1] * factor, 3), np.uint8)
            for tile in tiles(pixels, TILE, OVERLAP, self._model.config.window_size):
                top, left, bottom, right = (
                    factor * edge for edge in (tile.top, tile.left, tile.top + tile.height, tile.left + tile.width)
                )
                made[top:bottom, left:right] = self._enlarged(tile, factor)
                step += 1
                yield RestoreStep(step, steps)
            pixels = made
        return Image(pixels)

    def _factors(self, scale: int) -> list[int]:
        """How often the picture gets how much larger: as the model does, the last time by what is left of `scale`."""
        upscale = self._model.config.upscale
        return [scale] if scale <= upscale else [upscale, *self._factors(scale // upscale)]

    def _enlarged(self, tile: Tile, factor: int) -> Pixels:
        """Return a tile without its overlap, `factor` times as large; the processor need not pad it."""
        import torch

        inputs = self._processor(tile.seen, do_pad=False, return_tensors="pt").to(self.device, dtype=self._dtype)
        upscale = self._model.config.upscale
        rows, columns = (slice(upscale * OVERLAP, upscale * (OVERLAP + side)) for side in (tile.height, tile.width))
        with torch.inference_mode():
            colours = self._model(**inputs).reconstruction[..., rows, columns].float().clamp(0, 1)
            colours = torch.nn.functional.avg_pool2d(colours, upscale // factor)[0].permute(1, 2, 0)
        enlarged: Pixels = (colours * 255).round().byte().cpu().numpy()
        return enlarged
