"""Pictures to tensors by the model's own image processor."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from kuamo.data.features.processor import load_own, settings_of
from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits

OVERSAMPLING = 3
"""A JPEG read at reduced scale keeps at least so many pixels along the short edge for each that the model sees.

Measured on photographs at 64 and 224 pixels: the picture that the model sees differs by at most TOLERANCE on average.
"""
TOLERANCE = 1.5 / 255


class ImageFeatures:
    """A model's own image processor: RGB, resized, cropped and normalised, channels first.

    `reduced` lets JPEGs be decoded at 1/2, 1/4 or 1/8 scale where they are much larger than the model's pictures: many
    times faster, the values before normalisation within TOLERANCE on average. Without it they are the processor's own.
    """

    def __init__(self, processor: Any, *, reduced: bool = False) -> None:
        self._processor = processor
        self._plain = self._is_plain()
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
        if not self._plain:
            return self._run(pictures)
        return self._run([self._resized(picture) for picture in pictures], do_resize=False)

    def read(self, data: bytes, limits: Limits, name: str | None = None) -> NDArray[np.float32]:
        """Decode a picture file and return its pixel values, shape (3, height, width).

        Raises KuamoError as `read_image` does.
        """
        least = OVERSAMPLING * self.edge if self.reduced and self.edge else None
        pixels: NDArray[np.float32] = self.of([read_image(data, limits, name, least_edge=least)])[0]
        return pixels

    @property
    def edge(self) -> int | None:
        """The shorter edge to which a picture is resized, in pixels; None where it depends on the picture."""
        return min(self._size.values()) if self._plain else None

    @property
    def _size(self) -> dict[str, int]:
        return {name: edge for name, edge in dict(self._processor.size).items() if edge}

    def _resized(self, picture: PIL.Image.Image) -> PIL.Image.Image:
        """Resize as the processor would, without its copies from picture to array and back at full size."""
        size = self._size
        if "shortest_edge" in size:
            wanted = _with_shortest_edge(picture.width, picture.height, size["shortest_edge"])
        else:
            wanted = (size["width"], size["height"])
        return picture.resize(wanted, resample=self._processor.resample)

    def _is_plain(self) -> bool:
        """Whether resizing with Pillow first gives the very same values: tried on pictures of noise."""
        if set(self._size) not in ({"shortest_edge"}, {"height", "width"}) or not self._processor.do_resize:
            return False
        noise = np.random.default_rng(0).integers(0, 256, (150, 101, 3), np.uint8)
        pictures = [PIL.Image.fromarray(pixels) for pixels in (noise, np.ascontiguousarray(noise.swapaxes(0, 1)))]
        first = [self._run([self._resized(picture)], do_resize=False) for picture in pictures]
        return all(map(np.array_equal, first, [self._run([picture]) for picture in pictures]))

    def _run(self, pictures: list[PIL.Image.Image], **options: bool) -> NDArray[np.float32]:
        values = self._processor(images=pictures, return_tensors="np", **options)["pixel_values"]
        return np.asarray(values, dtype=np.float32)


def _with_shortest_edge(width: int, height: int, edge: int) -> tuple[int, int]:
    """Return (width, height) of a picture whose shorter edge is `edge`, the longer rounded down."""
    if width <= height:
        return edge, int(edge * height / width)
    return int(edge * width / height), edge
