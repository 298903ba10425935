"""The recipe of nano-diffusion runs from data to a folder that the engine draws with."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from kuamo.contracts import DrawRequest, Picture
from kuamo.engines.draw.diffusion import Diffusion
from kuamo.world.prompt import Prompt
from kuamo.world.scene import Scene, Thing, make_scene

RECIPES = Path(__file__).parents[2] / "recipes"
CLIP = Path(__file__).parents[2] / "src" / "kuamo" / "weights" / "nano-clip"
MODULES = ("training", "nano_clip", "judge", "nano_diffusion")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The recipe at toy scale, all its files in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RECIPES))
        for name in MODULES:
            patch.delitem(sys.modules, name, raising=False)
        import judge
        import nano_diffusion
        import training

        folder = tmp_path_factory.mktemp("runs")
        for module in (training, judge, nano_diffusion):
            patch.setattr(module, "RUNS", folder)
        for module in (judge, nano_diffusion):
            patch.setattr(module, "TRAIN", 16)
            patch.setattr(module, "HELD_OUT", 8)
        patch.setattr(nano_diffusion, "SHOWN", 2)
        patch.setattr(nano_diffusion, "CLIP", CLIP)
        yield nano_diffusion


@pytest.fixture(scope="module")
def denoising(recipe: ModuleType) -> torch.nn.Module:
    """Two stages of two steps, and the judge of one."""
    coding = recipe.Coding(recipe.trained(steps=1, batch=4), batch=2)
    folder = recipe.RUNS / "nano-diffusion"
    recipe.train(folder / "autoencoder", coding, steps=2, rate=1e-3, every=2)
    task = recipe.Denoising(coding, folder / "autoencoder" / "latents-2.npy", folder / "denoiser", batch=4)
    recipe.train(task.folder, task, steps=2, rate=1e-3, every=2)
    return task


def test_scaled_latents_have_unit_variance(denoising: torch.nn.Module) -> None:
    scaled = denoising.latents[::10].astype(np.float32) * denoising.autoencoder.config.scaling_factor
    assert scaled.std() == pytest.approx(1, rel=1e-3)


def test_the_average_follows_the_weights_and_is_not_learned(denoising: torch.nn.Module) -> None:
    learned = {name for name, weight in denoising.named_parameters() if weight.requires_grad}
    assert learned
    assert all(name.startswith("drawer.") for name in learned)
    assert int(denoising.average.n_averaged) == 2


def test_started_again_it_goes_on_with_the_average(recipe: ModuleType, denoising: torch.nn.Module) -> None:
    latents = recipe.RUNS / "nano-diffusion" / "autoencoder" / "latents-2.npy"
    again = recipe.Denoising(recipe.Coding(recipe.trained(steps=1, batch=4)), latents, denoising.folder)
    recipe.train(again.folder, again, steps=2, rate=1e-3)
    saved, loaded = denoising.state_dict(), again.state_dict()
    assert saved.keys() == loaded.keys()
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)


def test_a_picture_has_its_own_seed_in_whichever_batch_it_is_drawn(
    recipe: ModuleType, denoising: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, asked = denoising.pipeline(), [recipe.prompts(1)[0]] * 3
    drawn = recipe.drawings(pipeline, asked, steps=1).astype(int)
    monkeypatch.setattr(recipe, "SHOWN", 3)
    off = np.abs(drawn - recipe.drawings(pipeline, asked, steps=1)).mean((1, 2, 3))
    assert off.max() < 3  # bfloat16 rounds by the batch
    assert np.abs(drawn[0] - drawn[2]).mean() > 2 * off.max()


def cat(colour: str, column: int) -> Thing:
    return Thing("cat", colour, "small", column, False)


def scene(*things: Thing, time: str = "night") -> Scene:
    return Scene(time, "clear", "road", "oil", things, 0)


def test_the_judge_counts_each_thing_once(recipe: ModuleType) -> None:
    from judge import attributes

    asked = Prompt("", scene(cat("red", 0), cat("red", 2), time=""), placed=False)
    right = attributes(asked, scene(cat("red", 1), cat("blue", 2)))
    assert right["thing"] == [True, True]
    assert right["colour"] == [True, False]
    assert right["ground"] == right["nothing else"] == [True]
    assert "time" not in right
    assert "place" not in right


def test_the_judge_reads_scenes_back_from_their_tags(recipe: ModuleType) -> None:
    from judge import _scene
    from nano_clip import tags_of

    for index in range(20):
        truth = make_scene(index)
        read = _scene([max(0, tag) for tag in tags_of(truth)])
        assert (set(read.things), read.time, read.style) == (set(truth.things), truth.time, truth.style)


def test_what_it_writes_is_drawn_with_by_the_engine(recipe: ModuleType, denoising: torch.nn.Module) -> None:
    """The last: it halves the precision of what it writes."""
    folder = recipe.RUNS / "written"
    recipe.write(denoising, folder)
    assert {"README.md", "curves.png", "sheet.png", "model_index.json"} < {file.name for file in folder.iterdir()}
    engine = Diffusion.load(str(folder), device="cpu", precision="auto")

    def drawn(prompt: str, seed: int) -> np.ndarray:
        request = DrawRequest(prompt=prompt, width=64, height=64, steps=2, seed=seed)
        (picture,) = (event for event in engine.draw(request) if isinstance(event, Picture))
        return picture.image.pixels

    assert drawn("雪地里的橘猫", 1).shape == (64, 64, 3)
    assert np.array_equal(drawn("雪地里的橘猫", 1), drawn("雪地里的橘猫", 1))
    assert not np.array_equal(drawn("雪地里的橘猫", 1), drawn("雪地里的橘猫", 2))
