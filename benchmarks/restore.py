"""How near to the truth pictures come that were made larger or sharper, beside interpolation and unsharp masking.

    python benchmarks/restore.py [--model NAME] [--pictures 100] [PHOTOGRAPH ...]

Renders of the small world that no training saw, and photographs, are halved, quartered or blurred, and restored. Each
cell is the peak signal-to-noise ratio in dB, then the structural similarity (Wang et al. 2004): means over pictures.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageFilter

from kuamo.capabilities.restore import restore
from kuamo.catalogue import Catalogue
from kuamo.contracts import RestoreRequest
from kuamo.engines.deblurring import blurred
from kuamo.media.image import from_pil, read_image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.picture import render
from kuamo.world.scene import make_scene

BICUBIC = PIL.Image.Resampling.BICUBIC
BLURS = (0.7, 1.0, 1.5)
Picture = PIL.Image.Image


def psnr(made: Picture, true: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    return float(-10 * np.log10(np.square(_values(made) - _values(true)).mean() + 1e-10))


def ssim(made: Picture, true: Picture) -> float:
    """Return the structural similarity, each colour under a Gaussian of 1.5 pixels."""
    one, other = _values(made), _values(true)
    mean, mean_of_other = _mean(one), _mean(other)
    spread = _mean(one * one) - mean**2 + _mean(other * other) - mean_of_other**2
    shared = _mean(one * other) - mean * mean_of_other
    light = (2 * mean * mean_of_other + 0.01**2) / (mean**2 + mean_of_other**2 + 0.01**2)
    return float((light * (2 * shared + 0.03**2) / (spread + 0.03**2)).mean())


def _values(picture: Picture) -> NDArray[np.float32]:
    return np.asarray(picture, np.float32) / 255


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return blurred(values, 1.5)


def cell(made: Sequence[Picture], truth: Sequence[Picture]) -> str:
    """Return both measures, the means over pictures."""
    pairs = list(zip(made, truth, strict=True))
    return f"{np.mean([psnr(*pair) for pair in pairs]):.2f} / {np.mean([ssim(*pair) for pair in pairs]):.3f}"


def rows(name: str, truth_of: Callable[[int], Sequence[Picture]], models: Models) -> None:
    """Print the rows of one kind of picture; `truth_of` gives the truth at 1, 2 and 4 times the base size."""

    def restored(pictures: Sequence[Picture], scale: int) -> list[Picture]:
        return [restore(RestoreRequest(image=from_pil(one), scale=scale), models).image.pil() for one in pictures]

    for scale in (2, 4):
        truth = truth_of(scale)
        small = [one.resize((one.width // scale, one.height // scale), BICUBIC) for one in truth]
        plain = [one.resize((one.width * scale, one.height * scale), BICUBIC) for one in small]
        print(f"| {name}, × {scale} | {cell(plain, truth)} | {cell(restored(small, scale), truth)} |", flush=True)
    truth = truth_of(1)
    for blur in BLURS:
        soft = [one.filter(ImageFilter.GaussianBlur(blur)) for one in truth]
        plain = [one.filter(ImageFilter.UnsharpMask(2, 150, 3)) for one in soft]
        close = [one.filter(ImageFilter.UnsharpMask(1, 150, 0)) for one in soft]
        cells = " | ".join(
            (f"{cell(soft, truth)}; {cell(plain, truth)}; {cell(close, truth)}", cell(restored(soft, 1), truth))
        )
        print(f"| {name}, blur of {blur} px: as it is; unsharp mask of 2 px; of 1 px | {cells} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="anime4k")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("photographs", nargs="*", type=Path)
    options = parser.parse_args()
    models = Models(Catalogue.load(), Settings(models={"restore": options.model}))
    print(f"| PSNR in dB / SSIM | plain | Kuamo, {options.model} |\n|---|---|---|")
    rows(
        "small world",
        lambda size: [render(make_scene(n, "held_out"), 64 * size) for n in range(options.pictures)],
        models,
    )
    photographs = []
    for path in options.photographs:
        picture = read_image(path, Limits()).pil()
        picture.thumbnail((512, 512))
        photographs.append(picture.crop((0, 0, picture.width // 4 * 4, picture.height // 4 * 4)))
    if photographs:
        rows("photographs", lambda _: photographs, models)


if __name__ == "__main__":
    main()
