"""Masks of drawing clients."""

from io import BytesIO

import numpy as np
import PIL.Image
import pytest

from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.media.mask import read_mask


def file(picture: PIL.Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_what_is_clear_becomes_white_whatever_its_colour() -> None:
    picture = PIL.Image.new("RGBA", (4, 2), (255, 255, 255, 255))
    picture.paste((10, 20, 30, 0), (0, 0, 1, 2))
    picture.putpixel((3, 0), (255, 255, 255, 200))
    white = read_mask(file(picture), Limits()).pixels[..., 0] == 255
    assert white.tolist() == [[True, False, False, False]] * 2


def test_a_palettes_transparency_counts() -> None:
    picture = PIL.Image.new("P", (2, 1), 0)
    picture.putpalette([255, 0, 0, 0, 0, 0])
    picture.putpixel((1, 0), 1)
    buffer = BytesIO()
    picture.save(buffer, "PNG", transparency=0)
    assert read_mask(buffer.getvalue(), Limits()).pixels[0, :, 0].tolist() == [255, 0]


def test_a_mask_without_transparency_stays_as_it_is() -> None:
    picture = PIL.Image.fromarray(np.array([[0, 255, 90]], np.uint8))
    assert read_mask(file(picture), Limits()).pixels[0, :, 0].tolist() == [0, 255, 90]


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(KuamoError) as caught:
        read_mask(file(PIL.Image.new("1", (3_000, 3_000))), Limits(megapixels=1))
    assert caught.value.code == "image_too_large"
