"""A training goes on exactly where it was, wherever it was killed, and its curves can be drawn."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import PIL.Image
import pytest
import torch

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module under test."""
    monkeypatch.syspath_prepend(str(RECIPES))
    monkeypatch.delitem(sys.modules, "training", raising=False)
    import training

    return training


def run(training: ModuleType, folder: Path, stop: int | None = None) -> tuple[torch.Tensor, list[int]]:
    """Train a line for 20 steps, or until step `stop`; return its weights and the steps."""

    class Line(training.Task):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.model, self.seen = torch.nn.Linear(4, 1), []

        def forward(self, step: int) -> torch.Tensor:
            if step == stop:
                raise KeyboardInterrupt
            self.seen.append(step)
            batch = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
            return (self.model(batch) - 1).pow(2).mean()

        def scores(self) -> dict[str, float]:
            return {"bias": self.model.bias.item()}

    task = Line()
    try:
        training.train(folder, task, steps=20, rate=1e-2, warm_up=2, every=5, scored=10)
    except KeyboardInterrupt:
        assert stop is not None
    return task.model.weight.detach().clone(), task.seen


@pytest.mark.parametrize("killed", ["in a step", "between the renames", "before the old state was deleted"])
def test_it_ends_with_the_weights_of_an_uninterrupted_run(training: ModuleType, tmp_path: Path, killed: str) -> None:
    whole, _ = run(training, tmp_path / "whole")
    run(training, tmp_path / "cut", stop=12)
    state, old = tmp_path / "cut" / "state", tmp_path / "cut" / "state.old"
    if killed == "between the renames":
        state.rename(old)
    if killed == "before the old state was deleted":
        shutil.copytree(state, old)
    resumed, seen = run(training, tmp_path / "cut")
    assert seen == list(range(10, 20))
    assert torch.equal(resumed, whole)


def test_losses_and_scores_are_noted_and_drawn(training: ModuleType, tmp_path: Path) -> None:
    run(training, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "curves.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [5, 10, 15, 20]
    assert ["bias" in row for row in rows] == [False, True, False, True]
    training.draw(tmp_path, tmp_path / "curves.png")
    with PIL.Image.open(tmp_path / "curves.png") as picture:
        shades = picture.convert("RGB").getcolors(picture.width * picture.height)
        assert any(max(colour) - min(colour) > 100 for _, colour in shades), "the scores have colours"
        assert any(colour == (0, 0, 0) for _, colour in shades), "the loss is black"
