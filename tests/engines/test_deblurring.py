"""The blur is measured as it is, and undoing it gives back what was there."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kuamo.engines.deblurring import MOST, blur_of, blurred, sharpened


def edges(height: int = 96, width: int = 120) -> NDArray[np.float32]:
    """Blocks of colour, 12 pixels wide."""
    blocks = np.random.default_rng(1).random((height // 12, width // 12, 3), np.float32)
    return blocks.repeat(12, 0).repeat(12, 1)


@pytest.mark.parametrize("blur", [0.8, 1.0, 1.5, 1.9])
def test_a_known_blur_is_measured(blur: float) -> None:
    assert blur_of(blurred(edges(), blur)) == pytest.approx(blur, abs=0.2)


@pytest.mark.parametrize("colours", [edges(), np.full((9, 7, 3), 0.5, np.float32), np.zeros((1, 1, 3), np.float32)])
def test_where_nothing_is_blurred_nothing_is_measured(colours: NDArray[np.float32]) -> None:
    assert blur_of(colours) == 0
    assert (sharpened(colours, 0) == colours).all()


def test_a_blur_beyond_the_most_is_taken_as_the_most() -> None:
    assert blur_of(blurred(edges(), 5)) == MOST


@pytest.mark.parametrize("blur", [0.7, 1.0, 1.5])
def test_undone_blur_is_mostly_gone(blur: float) -> None:
    truth = edges()
    seen = blurred(truth, blur)
    made = sharpened(seen, blur)
    assert np.square(made - truth).mean() < 0.7 * np.square(seen - truth).mean()
    assert made.min() >= 0
    assert made.max() <= 1


def test_blurring_keeps_the_light_and_the_shape() -> None:
    point = np.zeros((21, 25, 3), np.float32)
    point[10, 12] = 1
    spread = blurred(point, 1.5)
    assert spread.shape == point.shape
    np.testing.assert_allclose(spread.sum((0, 1)), 1, rtol=1e-4)
    across = np.arange(25) - 12
    assert np.sqrt((spread[..., 0].sum(0) * across**2).sum()) == pytest.approx(1.5, rel=0.03)
