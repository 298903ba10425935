"""Pictures of every kind become upright 8-bit RGB; bad ones are refused before they cost anything."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits

LIMITS = Limits()


def encode(picture: PIL.Image.Image, format_name: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()


def fault(call: Callable[[], object]) -> str:
    with pytest.raises(KuamoError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_common_formats_become_rgb(format_name: str) -> None:
    image = read_image(encode(PIL.Image.new("RGB", (40, 30), (200, 30, 60)), format_name), LIMITS)
    assert (image.width, image.height) == (40, 30)
    assert image.pixels.shape == (30, 40, 3)
    assert image.pixels.dtype == np.uint8
    assert np.abs(image.pixels.mean(axis=(0, 1)) - (200, 30, 60)).max() < 6


def test_a_picture_is_turned_upright_by_its_exif() -> None:
    picture = PIL.Image.new("RGB", (40, 20), "white")
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    assert read_image(encode(picture, "JPEG", exif=exif), LIMITS).pixels.shape == (40, 20, 3)


def test_transparency_lies_on_white() -> None:
    assert (read_image(encode(PIL.Image.new("RGBA", (4, 4), (0, 0, 0, 0))), LIMITS).pixels == 255).all()


def test_a_palette_with_a_transparent_colour_lies_on_white() -> None:
    picture = PIL.Image.new("P", (4, 4), 0)
    picture.putpalette([10, 20, 30] + [0] * 765)
    assert (read_image(encode(picture, transparency=0), LIMITS).pixels == 255).all()


def test_16_bits_are_scaled_not_clipped() -> None:
    values = np.array([[0, 257 * 100, 65_535]], dtype=np.uint16)
    assert read_image(encode(PIL.Image.fromarray(values)), LIMITS).pixels[0, :, 0].tolist() == [0, 100, 255]


def test_cmyk_becomes_rgb() -> None:
    image = read_image(encode(PIL.Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG"), LIMITS)
    red, green, blue = image.pixels[0, 0]
    assert red > 200
    assert max(green, blue) < 60


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    image = read_image(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]), LIMITS)
    assert image.pixels[0, 0].tolist() == [255, 0, 0]


def test_floats_are_scaled_to_their_own_range() -> None:
    picture = PIL.Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert read_image(encode(picture, "TIFF"), LIMITS).pixels[0, :, 0].tolist() == [0, 128, 255]


def test_an_image_cannot_be_changed_and_gives_itself_back_as_png() -> None:
    image = read_image(encode(PIL.Image.new("RGB", (5, 5), "teal")), LIMITS)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 0
    assert (read_image(image.png(), LIMITS).pixels == image.pixels).all()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes do not hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (100_000, 100_000), (10_000, 9_000)])
def test_a_picture_too_large_is_refused_before_decoding(width: int, height: int) -> None:
    with pytest.raises(KuamoError) as caught:
        read_image(png_that_claims(width, height), LIMITS, "../大图.png")
    assert caught.value.code == "image_too_large"
    assert caught.value.values["name"] == "大图.png"


def test_a_bomb_of_compressed_text_is_refused() -> None:
    bomb = zlib.compress(b"a" * 100_000_000)
    body = b"comment\0\0" + bomb
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    data = encode(PIL.Image.new("RGB", (4, 4)))
    assert fault(lambda: read_image(data[:33] + chunk + data[33:], LIMITS)) in ("not_an_image", "image_damaged")


def test_each_bad_file_has_its_own_reason(tmp_path: Path) -> None:
    good = encode(PIL.Image.effect_noise((64, 64), 80), "JPEG")
    assert fault(lambda: read_image(b"", LIMITS)) == "file_empty"
    assert fault(lambda: read_image(b"hello", LIMITS)) == "not_an_image"
    assert fault(lambda: read_image(good[: len(good) // 2], LIMITS)) == "image_damaged"
    assert fault(lambda: read_image(tmp_path / "none.png", LIMITS)) == "file_not_found"
    assert fault(lambda: read_image(tmp_path, LIMITS)) == "file_is_folder"
    assert fault(lambda: read_image(good, Limits(megabytes=0.0001))) == "file_too_large"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    assert fault(lambda: read_image(svg, LIMITS)) == "not_an_image"


@given(st.binary(max_size=300), st.integers(0, 400))
def test_no_bytes_get_past_as_another_error(noise: bytes, place: int) -> None:
    data = encode(PIL.Image.new("RGB", (9, 9), "navy"), "GIF")
    try:
        image = read_image(data[:place] + noise + data[place + len(noise) :], LIMITS)
    except KuamoError:
        return
    assert isinstance(image, Image)
    assert image.pixels.ndim == 3
