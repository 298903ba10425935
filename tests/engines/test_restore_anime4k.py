"""The engine in the box really restores: what it makes is closer to the truth than what the plain way makes."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from PIL import ImageFilter

from kuamo.contracts import RestoreRequest, RestoreStep
from kuamo.engines.restore import anime4k
from kuamo.engines.restore.anime4k import Anime4k
from kuamo.media.image import from_pil, read_image
from kuamo.media.limits import Limits
from kuamo.world.picture import render
from kuamo.world.scene import make_scene

BICUBIC = PIL.Image.Resampling.BICUBIC
Picture = PIL.Image.Image


@pytest.fixture(scope="module")
def engine() -> Anime4k:
    return Anime4k.load("pyanime4k", device="cpu", precision="auto")


@pytest.fixture(scope="module", params=["world", "photograph"])
def truth(request: pytest.FixtureRequest) -> list[Picture]:
    if request.param == "world":
        return [render(make_scene(index, "held_out"), 128) for index in range(12)]
    data = request.getfixturevalue("data")
    photograph = read_image(data / "images" / "lion.jpg", Limits()).pil()
    return [photograph.resize((256, 256), PIL.Image.Resampling.LANCZOS)]


def run(engine: Anime4k, picture: Picture, scale: int) -> tuple[Picture, list[RestoreStep]]:
    steps, generator = [], engine.restore(RestoreRequest(image=from_pil(picture), scale=scale))
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            return end.value.pil(), steps


def decibels(made: Sequence[Picture], truth: Sequence[Picture]) -> float:
    """The mean peak signal-to-noise ratio."""
    errors = [
        np.square(np.asarray(one, float) - np.asarray(other)).mean() for one, other in zip(made, truth, strict=True)
    ]
    return float(np.mean(20 * np.log10(255) - 10 * np.log10(errors)))


@pytest.mark.parametrize(("scale", "gain"), [(2, 0.3), (4, 0.0)])
def test_enlarged_it_is_closer_to_the_truth_than_an_interpolation(
    scale: int, gain: float, engine: Anime4k, truth: list[Picture]
) -> None:
    small = [one.resize((one.width // scale, one.height // scale), BICUBIC) for one in truth]
    plain = decibels([one.resize(true.size, BICUBIC) for one, true in zip(small, truth, strict=True)], truth)
    assert decibels([run(engine, one, scale)[0] for one in small], truth) > plain + gain


@pytest.mark.parametrize("blur", [0.8, 1.2, 1.6])
def test_deblurred_it_is_closer_to_the_truth_than_it_was(blur: float, engine: Anime4k, truth: list[Picture]) -> None:
    blurred = [one.filter(ImageFilter.GaussianBlur(blur)) for one in truth]
    made = [run(engine, one, 1)[0] for one in blurred]
    assert decibels(made, truth) > decibels(blurred, truth) + 1
    assert [one.size for one in made] == [one.size for one in truth]


def test_a_sharp_picture_stays_as_it_is(engine: Anime4k) -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    made, _ = run(engine, PIL.Image.fromarray(blocks), 1)
    assert (np.asarray(made) == blocks).all()


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (1, 300)])
def test_pictures_of_any_size_keep_their_colour(size: tuple[int, int], scale: int, engine: Anime4k) -> None:
    made, _ = run(engine, PIL.Image.new("RGB", size, "teal"), scale)
    assert made.size == (size[0] * scale, size[1] * scale)
    off = np.abs(np.asarray(made, int) - np.asarray(PIL.Image.new("RGB", made.size, "teal")))
    assert off.max() <= 4


@pytest.mark.parametrize("scale", [1, 2])
def test_tiles_show_no_seam(scale: int, engine: Anime4k, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = render(make_scene(3), 128).filter(ImageFilter.GaussianBlur(1))
    whole, one = run(engine, picture, scale)
    monkeypatch.setattr(anime4k, "TILE", 50)
    tiled, many = run(engine, picture, scale)
    assert (len(one), many) == (1, [RestoreStep(step, 9) for step in range(1, 10)])
    assert _off(whole, tiled).max() <= 8
    assert _off(whole, tiled).mean() < 0.05


def _off(one: Picture, other: Picture) -> NDArray[np.int64]:
    return np.abs(np.asarray(one, np.int64) - np.asarray(other))
