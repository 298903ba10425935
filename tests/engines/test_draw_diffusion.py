"""Diffusers folders: from a prompt to pictures, step by step."""

import shutil
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kuamo.catalogue import Catalogue
from kuamo.contracts import DrawRequest, DrawStep, Picture
from kuamo.engines.draw.diffusion import Diffusion
from kuamo.errors import KuamoError
from kuamo.media.image import Image

FAMILIES = ["stable_diffusion", "sdxl", "lcm"]
SCHEDULERS = ("dpm++", "euler", "euler-a", "ddim", "unipc")


def request(**changes: Any) -> DrawRequest:
    return DrawRequest(**{"prompt": "a red car", "width": 64, "height": 64, "steps": 3, "seed": 7, **changes})


def start(width: int = 96, height: int = 64) -> Image:
    """Return a picture of smooth colours."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image(np.stack([x, y, 255 - x], 2).astype(np.uint8))


def right_half(width: int = 96, height: int = 64) -> Image:
    """Return a mask: the left half black, the right half white."""
    mask = np.zeros((height, width, 3), np.uint8)
    mask[:, width // 2 :] = 255
    return Image(mask)


def code_of(attempt: Callable[[], Any]) -> str:
    with pytest.raises(KuamoError) as caught:
        attempt()
    return caught.value.code


def load(folder: Path, **options: Any) -> Diffusion:
    return Diffusion.load(str(folder), device="cpu", **{"precision": "fp32", **options})


def pictures(engine: Diffusion, wanted: DrawRequest) -> list[Picture]:
    return [event for event in engine.draw(wanted) if isinstance(event, Picture)]


@pytest.fixture(scope="module")
def of_family(checkpoint: Callable[[str], Path]) -> Callable[[str], Diffusion]:
    """Return a function from a family to its engine, loaded once."""
    return cache(lambda family: load(checkpoint(family)))


@pytest.fixture(scope="module")
def engine(of_family: Callable[[str], Diffusion]) -> Diffusion:
    return of_family("stable_diffusion")


@pytest.mark.parametrize("family", FAMILIES)
def test_steps_count_up_and_each_picture_has_its_size_and_seed(
    family: str, of_family: Callable[[str], Diffusion]
) -> None:
    events = list(of_family(family).draw(request(width=96, height=64, count=2)))
    steps = [event for event in events if isinstance(event, DrawStep)]
    made = [event for event in events if isinstance(event, Picture)]
    assert [step.step for step in steps] == list(range(1, steps[0].steps + 1))
    assert {step.steps for step in steps} == {len(steps)}
    assert [(picture.image.width, picture.image.height, picture.seed) for picture in made] == [(96, 64, 7), (96, 64, 8)]
    assert events[-1] is made[1]
    assert events.index(made[0]) == len(steps) // 2


def test_the_same_seed_makes_the_same_bytes_alone_or_among_others(engine: Diffusion) -> None:
    first, second = pictures(engine, request(count=2))
    assert pictures(engine, request())[0].image.png() == first.image.png()
    assert pictures(engine, request(seed=8))[0].image.png() == second.image.png()
    assert first.image.png() != second.image.png()


def test_a_seed_of_its_own_is_told_and_repeats(engine: Diffusion) -> None:
    made = pictures(engine, request(seed=None))[0]
    assert pictures(engine, request(seed=made.seed))[0].image.png() == made.image.png()


def test_the_negative_prompt_and_guidance_matter(engine: Diffusion) -> None:
    plain = pictures(engine, request())[0].image.png()
    assert pictures(engine, request(negative_prompt="blurred"))[0].image.png() != plain
    assert pictures(engine, request(guidance=2.0))[0].image.png() != plain


STARTS = {"words": {}, "picture": {"image": start()}, "mask": {"image": start(), "mask": right_half()}}


@pytest.mark.parametrize("mode", STARTS)
@pytest.mark.parametrize("taken", [1, 2, 3])
def test_closing_stops_within_one_step(mode: str, taken: int, engine: Diffusion) -> None:
    steps: list[int] = []
    may_go_on = threading.Semaphore(taken)

    def count(*_: Any) -> None:
        assert may_go_on.acquire(timeout=60)
        steps.append(1)

    hook = engine._pipeline.unet.register_forward_hook(count)
    try:
        events = engine.draw(request(steps=200, **STARTS[mode]))
        for _ in range(taken):
            next(events)
        may_go_on.release()  # the step under way may end; another would wait for ever
        events.close()
        assert len(steps) <= taken + 1
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("draw")]
    finally:
        hook.remove()
    assert pictures(engine, request())


def test_a_fault_in_the_pipeline_reaches_the_caller(engine: Diffusion) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("in the model")

    hook = engine._pipeline.unet.register_forward_hook(fail)
    try:
        with pytest.raises(ZeroDivisionError, match="in the model"):
            list(engine.draw(request()))
    finally:
        hook.remove()


def test_a_picture_that_the_safety_checker_marks_is_withheld(checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint("stable_diffusion"))
    engine._pipeline.safety_checker.concept_embeds_weights.data.fill_(-2.0)
    for begun in STARTS.values():
        assert code_of(lambda begun=begun: list(engine.draw(request(**begun)))) == "picture_withheld"  # type: ignore[misc]


def test_the_safety_checker_can_be_left_out(checkpoint: Callable[[str], Path]) -> None:
    assert load(checkpoint("stable_diffusion"), safety_checker=False)._pipeline.safety_checker is None
    assert load(checkpoint("sdxl"), safety_checker=False)


def test_what_is_left_open_is_the_models_own(engine: Diffusion, checkpoint: Callable[[str], Path]) -> None:
    open_request = DrawRequest(prompt="a red car")
    settled = engine.settle(open_request)
    assert (settled.width, settled.height, settled.steps, settled.guidance) == (64, 64, 50, 7.5)
    assert settled.seed is not None
    assert engine.settle(settled) == settled
    distilled = load(checkpoint("lcm"), steps=4, guidance=8.0, square=96)
    settled = distilled.settle(open_request)
    assert (settled.width, settled.height, settled.steps, settled.guidance) == (96, 96, 4, 8.0)
    assert settled.scheduler == "lcm"


def test_what_is_left_open_is_drawn_as_it_is_settled(checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint("stable_diffusion"), steps=3)
    asked = DrawRequest(prompt="a red car", seed=4)
    assert pictures(engine, asked)[0].image.png() == pictures(engine, engine.settle(asked))[0].image.png()


def test_the_catalogues_options_are_the_engines(checkpoint: Callable[[str], Path]) -> None:
    rows = [row for row in Catalogue.load().serving("draw") if row.engine.endswith(":Diffusion")]
    assert len(rows) > 3
    for row in rows:
        settled = load(checkpoint("stable_diffusion"), **row.options).settle(DrawRequest(prompt="x"))
        assert settled.steps == row.options["steps"]
        assert settled.guidance == row.options["guidance"]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_step_shows_how_it_looks(family: str, of_family: Callable[[str], Diffusion]) -> None:
    events = list(of_family(family).draw(request(width=96, height=64)))
    shown = [event.preview for event in events if isinstance(event, DrawStep)]
    assert len(shown) >= 3
    assert {(one.width, one.height) for one in shown if one} == {(12, 8)}
    assert None not in shown
    assert len({one.png() for one in shown if one}) > 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_drawn_over_the_more_the_stronger(family: str, of_family: Callable[[str], Diffusion]) -> None:
    engine, began = of_family(family), start()
    weak, strong = (
        pictures(engine, request(image=began, steps=10, strength=strength))[0].image.pixels for strength in (0.1, 0.9)
    )
    again = pictures(engine, request(image=began, steps=10, strength=0.9))[0].image.pixels
    assert np.array_equal(strong, again)
    assert not np.array_equal(strong, weak)
    assert not np.array_equal(strong, pictures(engine, request(steps=10))[0].image.pixels)


@pytest.mark.parametrize("family", ["stable_diffusion", "sdxl"])
def test_what_the_mask_leaves_black_stays_to_the_pixel(family: str, of_family: Callable[[str], Diffusion]) -> None:
    began = start(80, 48)
    asked = DrawRequest(prompt="a car", steps=3, seed=1, image=began, mask=right_half(80, 48))
    (made,) = pictures(of_family(family), asked)
    assert made.image.pixels.shape == began.pixels.shape
    assert np.array_equal(made.image.pixels[:, :40], began.pixels[:, :40])
    assert (made.image.pixels[:, 40:] != began.pixels[:, 40:]).mean() > 0.5


@pytest.mark.parametrize(
    ("size", "asked", "drawn"),
    [
        ((96, 64), {}, (80, 56)),  # more pixels than 64 x 64: made less
        ((40, 24), {}, (40, 24)),
        ((7, 9), {}, (8, 8)),
        ((3000, 2), {}, (2048, 8)),
        ((96, 64), {"width": 64, "height": 96}, (64, 96)),
        ((96, 64), {"height": 32}, (80, 32)),
    ],
)
def test_a_start_has_its_own_size_or_the_one_asked(
    size: tuple[int, int], asked: dict[str, int], drawn: tuple[int, int], engine: Diffusion
) -> None:
    settled = engine.settle(DrawRequest(prompt="x", image=start(*size), **asked))  # type: ignore[arg-type]
    assert (settled.width, settled.height) == drawn


def test_a_start_of_another_shape_is_cut_not_stretched(engine: Diffusion) -> None:
    """What is kept of a disc by an all but black mask is still round."""
    x, y = np.meshgrid(np.arange(128), np.arange(64))
    disc = (x - 64) ** 2 + (y - 32) ** 2 < 400
    began = Image(np.repeat(np.where(disc, 255, 0).astype(np.uint8)[..., None], 3, 2))
    mask = np.zeros_like(began.pixels)
    mask[:4, :4] = 255
    asked = request(image=began, mask=Image(mask), width=32, height=32)
    kept = pictures(engine, asked)[0].image.pixels[..., 0] > 127
    assert abs(int(kept.any(0).sum()) - int(kept.any(1).sum())) <= 1
    assert abs(kept.any(0).sum() - 20) <= 1


def test_at_least_one_step_is_taken_over_a_picture(checkpoint: Callable[[str], Path]) -> None:
    for family in FAMILIES:
        engine = load(checkpoint(family), most_steps=4)
        for strength in (0.02, 1 / 49, 0.3, 1.0):
            (made,) = pictures(engine, request(image=start(), steps=1, strength=strength))
            assert (made.image.width, made.image.height) == (64, 64)


@pytest.mark.parametrize("family", ["stable_diffusion", "sdxl"])
def test_each_scheduler_draws_its_own_picture_and_repeats_it(
    family: str, of_family: Callable[[str], Diffusion]
) -> None:
    engine = of_family(family)
    own = pictures(engine, request(steps=5))[0].image.png()
    drawn = {name: pictures(engine, request(steps=5, scheduler=name))[0].image.png() for name in SCHEDULERS}
    assert len(set(drawn.values())) == len(SCHEDULERS)
    assert pictures(engine, request(steps=5))[0].image.png() == own
    for name in SCHEDULERS:
        assert pictures(engine, request(steps=5, scheduler=name))[0].image.png() == drawn[name]


def test_a_scheduler_that_does_not_fit_is_refused(
    engine: Diffusion, checkpoint: Callable[[str], Path], of_family: Callable[[str], Diffusion]
) -> None:
    consistent = of_family("lcm")
    assert code_of(lambda: next(engine.draw(request(scheduler="lcm")))) == "scheduler_unfit"
    assert code_of(lambda: next(consistent.draw(request(scheduler="dpm++")))) == "scheduler_unfit"
    assert pictures(consistent, request(scheduler="lcm"))
    turbo = load(checkpoint("sdxl"), schedulers=["euler", "euler-a"])
    assert code_of(lambda: next(turbo.draw(request(scheduler="ddim")))) == "scheduler_unfit"


def test_a_model_without_in_painting_says_so(of_family: Callable[[str], Diffusion]) -> None:
    asked = request(image=start(), mask=right_half())
    assert code_of(lambda: next(of_family("lcm").draw(asked))) == "no_mask"


def test_a_prompt_of_which_the_model_would_lose_the_end_is_refused(engine: Diffusion) -> None:
    fits = " ".join(["a"] * 75)
    assert pictures(engine, request(prompt=fits, steps=1))
    assert code_of(lambda: next(engine.draw(request(prompt=f"{fits} a")))) == "prompt_too_long"
    assert code_of(lambda: next(engine.draw(request(negative_prompt="a " * 10_000)))) == "prompt_too_long"


def test_sides_are_multiples_of_what_the_model_wants(checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint("stable_diffusion"), factor=16)
    assert code_of(lambda: engine.settle(request(width=72))) == "not_a_multiple"
    settled = engine.settle(request(width=None, height=None, image=start(40, 24)))
    assert (settled.width, settled.height) == (32, 32)


@pytest.mark.parametrize("size", [(8, 8), (8, 200), (72, 40)])
def test_odd_sizes_are_drawn(size: tuple[int, int], engine: Diffusion) -> None:
    made = pictures(engine, request(width=size[0], height=size[1], steps=2))[0].image
    assert (made.width, made.height) == size


def test_a_distilled_model_is_not_asked_for_more_than_it_was_made_for(checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint("lcm"), most_steps=4, most_guidance=0.0)
    events = list(engine.draw(request(steps=50)))
    assert [event.steps for event in events if isinstance(event, DrawStep)] == [4] * 4


def test_a_negative_prompt_that_would_be_ignored_is_refused(of_family: Callable[[str], Diffusion]) -> None:
    engine = of_family("lcm")
    assert code_of(lambda: list(engine.draw(request(negative_prompt="blurred")))) == "no_negative_prompt"


@pytest.mark.parametrize(("asked", "used"), [("bf16", "bf16"), ("nf4", "fp32")])
def test_precision(asked: str, used: str, checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint("stable_diffusion"), precision=asked)
    assert engine.precision == used
    assert pictures(engine, request())[0].image.width == 64


@pytest.mark.parametrize("part", ["unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"])
def test_a_damaged_folder_says_why(part: str, checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("stable_diffusion"), tmp_path / "cut")
    (folder / part).write_bytes((folder / part).read_bytes()[:9000])
    with pytest.raises(KuamoError) as caught:
        load(folder)
    assert caught.value.code == "model_unsupported"
    assert caught.value.values["capability"] == "draw"


def test_a_pickled_part_is_not_opened(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("stable_diffusion"), tmp_path / "pickled")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(KuamoError) as caught:
        load(folder)
    assert caught.value.code == "model_unsupported"
