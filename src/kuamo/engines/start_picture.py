"""A picture that a drawing starts from, and the mask of what is drawn anew: fitted before, kept after."""

from math import sqrt

import PIL.Image
import PIL.ImageOps

from kuamo.contracts import LONGEST_SIDE
from kuamo.media.image import Image, from_pil


def own_size(image: Image, square: int, factor: int) -> tuple[int, int]:
    """Return the width and height to draw a picture at: its own, made less where it has more pixels than square².

    Both are the nearest multiples of `factor`, at most LONGEST_SIDE.
    """
    scale = min(1.0, square / sqrt(image.width * image.height), LONGEST_SIDE / max(image.width, image.height))
    width, height = (max(1, round(side * scale / factor)) * factor for side in (image.width, image.height))
    return width, height


def fitted(image: Image, width: int, height: int) -> PIL.Image.Image:
    """Return a picture at a size in pixels: scaled evenly, and cut at its centre where the shape is another."""
    return PIL.ImageOps.fit(image.pil(), (width, height), PIL.Image.Resampling.LANCZOS)


def fitted_mask(mask: Image, width: int, height: int) -> PIL.Image.Image:
    """Return a mask as `fitted` does its picture, in grey; an edge that is scaled becomes soft."""
    return PIL.ImageOps.fit(mask.pil().convert("L"), (width, height), PIL.Image.Resampling.BILINEAR)


def painted(start: PIL.Image.Image, drawn: PIL.Image.Image, mask: PIL.Image.Image) -> Image:
    """Return the start with what was drawn where the mask is white; grey mixes, black keeps the start's own pixels."""
    return from_pil(PIL.Image.composite(drawn.convert("RGB"), start, mask))
