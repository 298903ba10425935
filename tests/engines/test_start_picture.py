"""A start picture's size, and what is kept of it."""

import numpy as np
import PIL.Image
from hypothesis import given
from hypothesis import strategies as st

from kuamo.contracts import LONGEST_SIDE, DrawRequest
from kuamo.engines.start_picture import fitted, fitted_mask, own_size, painted
from kuamo.media.image import Image

SIDES = st.integers(1, 5000)


def plain(width: int, height: int, colour: int = 0) -> Image:
    return Image(np.full((height, width, 3), colour, np.uint8))


@given(SIDES, SIDES, st.sampled_from([64, 512, 1024]), st.sampled_from([8, 16]))
def test_any_picture_gets_a_size_that_can_be_drawn(width: int, height: int, square: int, factor: int) -> None:
    sides = own_size(Image(np.broadcast_to(np.uint8(0), (height, width, 3)).view()), square, factor)
    assert DrawRequest(prompt="x", width=sides[0], height=sides[1])
    assert not any(side % factor for side in sides)
    assert sides[0] * sides[1] <= (square + factor) ** 2 + factor * max(sides)
    if width * height <= square**2 and max(width, height) <= LONGEST_SIDE:
        assert all(
            abs(made - side) <= max(factor / 2, factor - side)
            for made, side in zip(sides, (width, height), strict=True)
        )


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_black_keeps_the_starts_own_pixels_and_white_takes_the_drawn(width: int, height: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    start, drawn = (random.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))
    grey = random.choice(np.array([0, 100, 255], np.uint8), (height, width))
    mask = fitted_mask(Image(np.repeat(grey[..., None], 3, 2)), width, height)
    made = painted(fitted(Image(start), width, height), PIL.Image.fromarray(drawn), mask).pixels
    assert np.array_equal(made[grey == 0], start[grey == 0])
    assert np.array_equal(made[grey == 255], drawn[grey == 255])
    low, high = np.minimum(start, drawn), np.maximum(start, drawn)
    assert np.logical_and(low <= made, made <= high).all()


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 25), st.integers(1, 25))
def test_a_picture_and_its_mask_are_cut_alike(width: int, height: int, columns: int, rows: int) -> None:
    """A picture that is its own mask keeps being so, edges apart."""
    half = np.zeros((height, width, 3), np.uint8)
    half[:, width // 2 :] = 255
    size = 8 * columns, 8 * rows
    picture, mask = fitted(Image(half), *size), fitted_mask(Image(half), *size)
    assert picture.size == mask.size == size
    difference = np.abs(np.asarray(picture.convert("L"), dtype=int) - np.asarray(mask))
    assert (difference > 64).mean() < 0.1
