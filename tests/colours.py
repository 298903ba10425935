"""A made-up embed engine that sees colours: the mean of a picture, or the colour a text names, as a unit vector."""

from typing import Any, ClassVar, Self

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from kuamo.catalogue import Catalogue
from kuamo.contracts import EmbedRequest
from kuamo.runtime import Models
from kuamo.settings import Settings

ROW = {
    "name": "colours",
    "capabilities": ["embed"],
    "engine": "colours:Colours",
    "source": "package:colours",
    "revision": "1",
    "languages": ["en", "zh"],
    "profiles": ["nano"],
}
NAMED = {
    "red": (220, 30, 30), "红色": (220, 30, 30), "green": (30, 200, 40), "绿色": (30, 200, 40),
    "blue": (20, 40, 230), "蓝色": (20, 40, 230),
}  # fmt: skip


class Colours:
    """Embeds in three dimensions; `embedded` holds how many pictures each call was given."""

    device = "cpu"
    precision = "fp32"
    embedded: ClassVar[list[int]] = []

    @classmethod
    def load(cls, source: str, *, device: str, precision: str, **options: Any) -> Self:
        """Load nothing."""
        return cls()

    def embed(self, request: EmbedRequest) -> NDArray[np.float32]:
        """Return unit rows of shape (n, 3)."""
        if request.images:
            self.embedded.append(len(request.images))
        colours = [np.array(NAMED[text]) for text in request.texts]
        colours += [image.pixels.mean((0, 1)) for image in request.images]
        rows = np.array(colours, np.float32) - 127.4
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def models(**changes: Any) -> Models:
    """Return the models with the colours first, the row changed as told."""
    return Models(Catalogue.load([ROW | changes]), Settings())


def paint(path: Any, colour: str | tuple[int, int, int], size: tuple[int, int] = (8, 6)) -> None:
    """Write a picture of one colour, by its name in NAMED or as RGB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", size, NAMED[colour] if isinstance(colour, str) else colour).save(path)
