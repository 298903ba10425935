"""Whether a picture is of the kind that a small model was trained on, told by how it looks at 16 × 16 pixels.

The distance is Mahalanobis' to the nearest of several classes with one covariance (Lee et al. 2018), in pixel space: a
model's own features are blind to what it was never taught to see.
"""

from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from kuamo.catalogue import Model
from kuamo.media.image import Image
from kuamo.store import locate

FILE = "familiar.safetensors"
"""Beside a model's weights: `whitening` (768, 768), the classes' `means` (n, 768) once whitened, `limit` (1)."""

SIDE = 16


def is_familiar(image: Image, model: Model) -> bool | None:
    """Whether a picture is like those the model knows; None for a model that does not say what it knows.

    Raises KuamoError model_not_downloaded.
    """
    file = Path(locate(model)) / FILE
    if not file.is_file():
        return None
    from safetensors.numpy import load_file

    known = load_file(file)
    look = thumbnail(image.pil())[None] @ known["whitening"].astype(np.float32)
    return bool(distances(look, known["means"].astype(np.float32))[0] <= known["limit"][0])


def thumbnail(picture: PIL.Image.Image) -> NDArray[np.float32]:
    """Return an RGB picture as 768 values, 0 to 1, of 16 × 16 pixels."""
    small = picture.resize((SIDE, SIDE), PIL.Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).ravel() / np.float32(255)


def distances(looks: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for whitened looks (n, d) the distance to the nearest of the means (m, d), shape (n)."""
    squares = (looks**2).sum(1)[:, None] - 2 * looks @ means.T + (means**2).sum(1)
    nearest: NDArray[np.float32] = np.sqrt(np.maximum(squares, 0).min(1))
    return nearest
