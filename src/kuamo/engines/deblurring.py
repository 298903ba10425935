"""Deblurring without a model: the blur is measured at the edges, then undone by deconvolution."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SHARPEST = 0.05
"""The share of the pixels, those of the steepest slope, at which the blur is measured."""
LEAST, MOST = 0.55, 2.0
"""The standard deviations of blur that are undone, in pixels. Edges drawn pixel by pixel measure a little less."""
ITERATIONS = 12
"""More gain on clean pictures and lose on noisy ones."""
FLOOR = 1e-3
LUMINANCE = (0.299, 0.587, 0.114)


def blur_of(colours: Floats) -> float:
    """Return the standard deviation of a picture's blur in pixels, taken as Gaussian, at most MOST; 0 below LEAST.

    By how much less steep the edges get when the picture is blurred once more (Zhuo & Sim 2011, "Defocus map
    estimation from a single image"); what sampling and differences blur is taken off. `colours`: (height, width, 3),
    0 to 1.
    """
    light = np.tensordot(colours, np.asarray(LUMINANCE, np.float32), 1)[..., None]
    before, after = _steepness(light), _steepness(blurred(light, 1))
    edges = before >= max(float(np.quantile(before, 1 - SHARPEST)), FLOOR)
    if not edges.any():
        return 0.0
    ratio = float(np.median(before[edges] / np.maximum(after[edges], FLOOR)))
    variance = 1 / max(ratio**2 - 1, FLOOR) - 5 / 12
    return min(MOST, variance**0.5) if variance >= LEAST**2 else 0.0


def sharpened(colours: Floats, blur: float) -> Floats:
    """Return a picture (height, width, 3), 0 to 1, with a Gaussian blur of so many pixels undone; with 0, as it is.

    Richardson (1972) and Lucy (1974): no value gets negative, and noise grows slowly.
    """
    if not blur:
        return colours
    seen = colours + FLOOR
    made = seen.copy()
    for _ in range(ITERATIONS):
        made *= blurred(seen / blurred(made, blur), blur)
    restored: Floats = np.clip(made - FLOOR, 0, 1)
    return restored


def blurred(values: Floats, deviation: float) -> Floats:
    """Return an array (height, width, n) under a Gaussian of that standard deviation in pixels, mirrored around."""
    radius = max(1, round(3 * deviation))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2).astype(np.float32)
    for axis in (0, 1):
        margin = [(radius, radius) if axis == other else (0, 0) for other in range(3)]
        around = np.moveaxis(np.pad(values, margin, "symmetric"), axis, 0)
        size = values.shape[axis]
        total = sum(weight * around[start : start + size] for start, weight in enumerate(weights / weights.sum()))
        values = np.moveaxis(np.asarray(total, np.float32), 0, axis)
    return values


def _steepness(light: Floats) -> Floats:
    down, across = np.gradient(np.pad(light[..., 0], 1, "edge"))
    steepness: Floats = np.hypot(down, across)[1:-1, 1:-1]
    return steepness
