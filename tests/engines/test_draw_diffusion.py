"""Diffusers folders: from a prompt to pictures, step by step."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kuamo.contracts import DrawRequest, DrawStep, Picture
from kuamo.engines.draw.diffusion import Diffusion
from kuamo.errors import KuamoError

FAMILIES = ["stable_diffusion", "sdxl", "lcm"]


def request(**changes: Any) -> DrawRequest:
    return DrawRequest(**{"prompt": "a red car", "width": 64, "height": 64, "steps": 3, "seed": 7, **changes})


def load(folder: Path, **options: Any) -> Diffusion:
    return Diffusion.load(str(folder), device="cpu", **{"precision": "fp32", **options})


def pictures(engine: Diffusion, wanted: DrawRequest) -> list[Picture]:
    return [event for event in engine.draw(wanted) if isinstance(event, Picture)]


@pytest.fixture(scope="module")
def engine(checkpoint: Callable[[str], Path]) -> Diffusion:
    return load(checkpoint("stable_diffusion"))


@pytest.mark.parametrize("family", FAMILIES)
def test_steps_count_up_and_each_picture_has_its_size_and_seed(family: str, checkpoint: Callable[[str], Path]) -> None:
    events = list(load(checkpoint(family)).draw(request(width=96, height=64, count=2)))
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


def test_closing_stops_within_one_step(engine: Diffusion) -> None:
    steps: list[int] = []
    hook = engine._pipeline.unet.register_forward_hook(lambda *_: steps.append(1))
    try:
        events = engine.draw(request(steps=200))
        next(events)
        events.close()
        assert len(steps) < 100
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
    with pytest.raises(KuamoError) as caught:
        list(engine.draw(request()))
    assert caught.value.code == "picture_withheld"


def test_a_distilled_model_is_not_asked_for_more_than_it_was_made_for(checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint("lcm"), most_steps=4, most_guidance=0.0)
    events = list(engine.draw(request(steps=50)))
    assert [event.steps for event in events if isinstance(event, DrawStep)] == [4] * 4


def test_a_negative_prompt_that_would_be_ignored_is_refused(checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint("lcm"))
    with pytest.raises(KuamoError) as caught:
        list(engine.draw(request(negative_prompt="blurred")))
    assert caught.value.code == "no_negative_prompt"


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
