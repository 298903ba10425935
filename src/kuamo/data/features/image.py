"""Pictures to tensors by the model's own image processor."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from kuamo.data.features.processor import load_own, settings_of
from kuamo.media.image import Image, read_pil
from kuamo.media.limits import Limits

OVERSAMPLING = 3
"""A JPEG read at reduced scale keeps at least so many pixels along the short edge for each that the model sees."""
TOLERANCE = 3 / 255
"""How far the values, from 0 to 1 before they are normalised, then lie from the exact ones, on average over a picture:
measured on photographs full of detail at 32 to 224 pixels; 1/255 is usual."""


class ImageFeatures:
    """A model's own image processor: RGB, resized, cropped and normalised, channels first.

    `reduced` lets JPEGs be decoded at 1/2, 1/4 or 1/8 scale where they are much larger than the model's pictures: many
    times faster, the values within TOLERANCE. Without it they are the processor's own.
    """

    def __init__(self, processor: Any, *, reduced: bool = False) -> None:
        self._processor = processor
        self._size = {name: edge for name, edge in dict(processor.size).items() if edge}
        self._levels = self._learn()
        self.reduced = reduced

    @classmethod
    def load(cls, folder: str, *, reduced: bool = False) -> Self:
        """Load a checkpoint folder's image processor. Raises KuamoError no_processor."""
        from transformers import AutoImageProcessor

        return cls(load_own(AutoImageProcessor, folder), reduced=reduced)

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the values: the processor, `reduced`, and the versions of what computes."""
        return {**settings_of(self._processor), "reduced": self.reduced}

    def of(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return pixel values, shape (n, 3, height, width); for models that cut pictures into tiles, theirs."""
        pictures = [image.pil() for image in images]
        if self._levels is None:
            return self._run(pictures)
        return np.stack([self._quickly(picture, self._levels) for picture in pictures])

    def read(self, data: bytes, limits: Limits, name: str | None = None) -> NDArray[np.float32]:
        """Decode a picture file and return its pixel values, shape (3, height, width).

        Raises KuamoError as `read_image` does.
        """
        if self._levels is None:
            values: NDArray[np.float32] = self._run([read_pil(data, limits, name)])[0]
            return values
        least = OVERSAMPLING * min(self._size.values()) if self.reduced else None
        return self._quickly(read_pil(data, limits, name, least), self._levels)

    def _run(self, pictures: list[PIL.Image.Image], **options: bool) -> NDArray[np.float32]:
        values = self._processor(images=pictures, return_tensors="np", **options)["pixel_values"]
        return np.asarray(values, dtype=np.float32)

    def _quickly(self, picture: PIL.Image.Image, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Do as a plain processor does (resize, cut out the middle, normalise), without its copies at full size."""
        picture = picture.resize(self._resized(picture.width, picture.height), resample=self._processor.resample)
        if getattr(self._processor, "do_center_crop", False):
            width, height = self._processor.crop_size["width"], self._processor.crop_size["height"]
            left, top = (picture.width - width) // 2, (picture.height - height) // 2
            picture = picture.crop((left, top, left + width, top + height))
        return np.stack([table[np.asarray(band)] for table, band in zip(levels, picture.split(), strict=True)])

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        edge = self._size.get("shortest_edge")
        if edge is None:
            return self._size["width"], self._size["height"]
        return (edge, int(edge * height / width)) if width <= height else (int(edge * width / height), edge)

    def _learn(self) -> NDArray[np.float32] | None:
        """Return the processor's value for each of the 256 levels of each channel, shape (3, 256).

        None where it is no plain one: where going by these gives other values than its own for pictures of noise.
        """
        if set(self._size) not in ({"shortest_edge"}, {"height", "width"}) or not self._processor.do_resize:
            return None
        ramp = PIL.Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2))
        levels = self._run([ramp], do_resize=False, do_center_crop=False)[0].reshape(3, -1)
        return levels if levels.shape == (3, 256) and self._fits(levels) else None

    def _fits(self, levels: NDArray[np.float32]) -> bool:
        noise = np.random.default_rng(0).integers(0, 256, (151, 101, 3), np.uint8)
        shapes = (noise, np.ascontiguousarray(noise.swapaxes(0, 1)), noise[:9, :12])
        pictures = [PIL.Image.fromarray(pixels) for pixels in shapes]
        return all(np.array_equal(self._quickly(picture, levels), self._run([picture])[0]) for picture in pictures)
