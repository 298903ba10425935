"""Where a picture may be changed, from the files that drawing clients send."""

from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image

from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits


def read_mask(source: Path | bytes, limits: Limits, name: str | None = None) -> Image:
    """Return a mask: white where the file is transparent, black elsewhere; a file without transparency as it is.

    Raises what `read_image` raises.
    """
    shown = read_image(source, limits, name)
    picture = PIL.Image.open(BytesIO(source) if isinstance(source, bytes) else source)
    if not picture.has_transparency_data:
        return shown
    clear = np.asarray(picture.convert("RGBA").getchannel("A")) < 128
    return Image(np.repeat(np.where(clear, np.uint8(255), np.uint8(0))[..., None], 3, axis=2))
