"""Pictures: any common format to RGB, upright, 8 bits a channel."""

import struct
import warnings
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from kuamo.errors import KuamoError
from kuamo.media.limits import Limits, name_of, read_bytes

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
DAMAGED = (OSError, SyntaxError, ValueError, TypeError, IndexError, EOFError, struct.error, zlib.error)

# A picture that large is refused with our own message before it is decoded.
warnings.filterwarnings("ignore", category=PIL.Image.DecompressionBombWarning)


@dataclass(frozen=True, eq=False)
class Image:
    """A picture: uint8 RGB, shape (height, width, 3), read-only."""

    pixels: NDArray[np.uint8] = field(repr=False)

    def __post_init__(self) -> None:
        self.pixels.flags.writeable = False

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    def pil(self) -> PIL.Image.Image:
        """Return a Pillow picture (RGB) of its own memory."""
        return PIL.Image.fromarray(self.pixels)

    def png(self) -> bytes:
        """Return the picture as a PNG file's bytes."""
        buffer = BytesIO()
        self.pil().save(buffer, "PNG")
        return buffer.getvalue()


def from_pil(picture: PIL.Image.Image) -> Image:
    """Return a Pillow picture of any mode as RGB: upright by EXIF, transparency on white, 16 bits scaled to 8."""
    return Image(np.array(_upright_rgb(picture)))


def _upright_rgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Return a picture as `from_pil` has it: the very same one where it is so already, for copies take long."""
    picture.load()  # only then is all that a file says of itself known
    turned = picture.getexif().get(PIL.ExifTags.Base.Orientation, 1) != 1
    upright = PIL.ImageOps.exif_transpose(picture) if turned else picture
    if upright.mode.startswith(("I", "F")):
        upright = _to_8_bits(upright)
    if upright.has_transparency_data:
        upright = PIL.Image.alpha_composite(PIL.Image.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _to_8_bits(picture: PIL.Image.Image) -> PIL.Image.Image:
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
    low, high = float(values.min()), float(values.max())
    if picture.mode != "F" and low >= 0 and high <= 65_535:
        low, high = 0, 65_535
    return PIL.Image.fromarray(((values - low) / max(high - low, 1e-9) * 255).round().astype(np.uint8))


def read_image(source: Path | bytes, limits: Limits, name: str | None = None) -> Image:
    """Decode the first frame of a picture file.

    Raises KuamoError file_not_found, file_empty, file_too_large, not_an_image, image_too_large (both before
    decoding) or image_damaged.
    """
    return Image(np.array(read_pil(source, limits, name)))


def read_pil(
    source: Path | bytes, limits: Limits, name: str | None = None, least_edge: int | None = None
) -> PIL.Image.Image:
    """Decode as `read_image` does, to a Pillow picture (RGB) of its own memory: quicker for what Pillow does next.

    With `least_edge`, a JPEG is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 scale that leaves both edges so many
    pixels: much faster, and nearly what decoding and shrinking would give. Raises what `read_image` raises.
    """
    name = name_of(source, name)
    data = read_bytes(source, name, limits)
    try:
        picture = PIL.Image.open(BytesIO(data), formats=FORMATS)
    except PIL.Image.DecompressionBombError as error:
        size = f"> {2 * (PIL.Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} Mpx"
        raise KuamoError("image_too_large", name=name, size=size, limit=limits.megapixels) from error
    except DAMAGED as error:
        raise KuamoError("not_an_image", name=name) from error
    if picture.width * picture.height > limits.megapixels * 1e6:
        size = f"{picture.width}×{picture.height} px"
        raise KuamoError("image_too_large", name=name, size=size, limit=limits.megapixels)
    if least_edge:
        picture.draft(None, (least_edge, least_edge))
    try:
        return _upright_rgb(picture)
    except DAMAGED as error:
        raise KuamoError("image_damaged", name=name) from error


def image_ending(data: bytes) -> str:
    """Return how the name of a picture file of this content should end (".jpg"); "" where it is none of FORMATS."""
    try:
        kind = PIL.Image.open(BytesIO(data), formats=FORMATS).format or ""
    except (PIL.Image.DecompressionBombError, *DAMAGED):
        return ""
    return ".jpg" if kind == "JPEG" else f".{kind.lower()}"
