"""What pictures of the small world look like, so that the models that know no others can tell them apart.

One mean for each time of day, ground, style and weather, one covariance for all, and the limit that all but one in two
hundred other pictures of the world keep.
"""

from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from safetensors.numpy import save_file
from training import pictures

from kuamo.capabilities.familiar import FILE, distances, thumbnail
from kuamo.world.scene import make_scene

FITTED, KEPT, FLOOR = 20_000, 0.995, 1e-4


def write_familiar(folder: Path, rendered: int) -> None:
    """Write FILE into a model's folder, from the first of the `rendered` pictures of the training split."""
    looks, others = np.split(looks_of(rendered, min(rendered, FITTED + FITTED // 4)), [FITTED])
    scenes = [make_scene(index) for index in range(len(looks))]
    classes = np.unique([f"{one.time} {one.ground} {one.style} {one.weather}" for one in scenes], return_inverse=True)
    means = np.stack([looks[classes[1] == place].mean(0) for place in range(len(classes[0]))])
    around = looks - means[classes[1]]
    variances, axes = np.linalg.eigh(around.T @ around / len(around))
    whitening = (axes / np.sqrt(np.maximum(variances, 0) + FLOOR)).astype(np.float16)
    means = (means @ whitening.astype(np.float32)).astype(np.float16)
    far = distances(others @ whitening.astype(np.float32), means.astype(np.float32))
    limit = np.quantile(far, KEPT, keepdims=True)
    save_file({"whitening": whitening, "means": means, "limit": limit.astype(np.float32)}, folder / FILE)


def looks_of(rendered: int, count: int) -> NDArray[np.float32]:
    """Return the thumbnails of the first training pictures, shape (count, 768)."""
    return np.stack([thumbnail(PIL.Image.fromarray(picture)) for picture in pictures("train", rendered)[:count]])
