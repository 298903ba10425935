"""Pictures changed a little: mirrored, cut, brighter or duller. Always a new picture."""

import re
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageEnhance

from kuamo.media.image import Image, from_pil

COLOURS = re.compile(
    r"\b(?:red|scarlet|orange|yellow|golden?|green|blue|cyan|purple|violet|pink|brown|beige|silver|colou?r\w*|"
    r"black|white|gr[ae]y)\b|[红橙橘黄绿青蓝紫粉棕褐金银黑白灰]色?|颜色|彩色",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Colour:
    """A change of colour: 1 leaves brightness, contrast and saturation as they are, 0 leaves the hue (a turn is 1)."""

    brightness: float = 1
    contrast: float = 1
    saturation: float = 1
    hue: float = 0


def mirror(image: Image) -> Image:
    """Return a picture with left and right exchanged."""
    return Image(np.ascontiguousarray(image.pixels[:, ::-1]))


def crop_box(image: Image, random: np.random.Generator, least: float = 0.9) -> tuple[int, int, int, int]:
    """Return a random part (left, top, width, height) that keeps at least `least` of each edge, at its aspect."""
    kept = random.uniform(least, 1)
    width, height = max(1, round(image.width * kept)), max(1, round(image.height * kept))
    left = int(random.integers(0, image.width - width + 1))
    top = int(random.integers(0, image.height - height + 1))
    return left, top, width, height


def crop(image: Image, box: tuple[int, int, int, int]) -> Image:
    """Return the part (left, top, width, height) of a picture, in pixels."""
    left, top, width, height = box
    return Image(image.pixels[top : top + height, left : left + width].copy())


def names_colour(text: str) -> bool:
    """Whether a text speaks of a colour, so that hue and saturation must stay."""
    return bool(COLOURS.search(text))


def random_colour(random: np.random.Generator, strength: float = 0.2, *, tones_only: bool) -> Colour:
    """Return a random change of up to `strength`; `tones_only` leaves saturation and hue."""
    brightness, contrast, saturation = random.uniform(1 - strength, 1 + strength, 3)
    hue = random.uniform(-strength, strength) / 10
    return Colour(brightness, contrast) if tones_only else Colour(brightness, contrast, saturation, hue)


def recolour(image: Image, colour: Colour) -> Image:
    """Return a picture with its colours changed; values end at 0 and 255, they never wrap."""
    picture = PIL.ImageEnhance.Brightness(image.pil()).enhance(colour.brightness)
    picture = PIL.ImageEnhance.Contrast(picture).enhance(colour.contrast)
    picture = PIL.ImageEnhance.Color(picture).enhance(colour.saturation)
    if colour.hue:
        hue, saturation, value = picture.convert("HSV").split()
        turned = hue.point([(level + round(colour.hue * 256)) % 256 for level in range(256)])
        picture = PIL.Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    return from_pil(picture)
