"""A training goes on exactly where it was, wherever it was killed."""

import shutil
import sys
from pathlib import Path

import pytest
import torch

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("killed", ["in a step", "between the renames", "before the old state was deleted"])
def test_it_ends_with_the_weights_of_an_uninterrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    monkeypatch.syspath_prepend(str(RECIPES))
    sys.modules.pop("training", None)
    from training import train

    def run(folder: Path, stop: int | None = None) -> tuple[torch.Tensor, list[int]]:
        torch.manual_seed(0)
        model, seen = torch.nn.Linear(4, 1), []

        def loss_of(step: int) -> torch.Tensor:
            if step == stop:
                raise KeyboardInterrupt
            seen.append(step)
            batch = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
            return (model(batch) - 1).pow(2).mean()

        try:
            train(folder, model, loss_of, steps=20, rate=1e-2, warm_up=2, every=5)
        except KeyboardInterrupt:
            assert stop is not None
        return model.weight.detach().clone(), seen

    whole, _ = run(tmp_path / "whole")
    run(tmp_path / "cut", stop=12)
    state, old = tmp_path / "cut" / "state", tmp_path / "cut" / "state.old"
    if killed == "between the renames":
        state.rename(old)
    if killed == "before the old state was deleted":
        shutil.copytree(state, old)
    resumed, seen = run(tmp_path / "cut")
    assert seen == list(range(10, 20))
    assert torch.equal(resumed, whole)
