"""What every recipe shares: pictures rendered once, a training loop that resumes after `kill -9`, and its curves."""

import csv
import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from kuamo.world.picture import render
from kuamo.world.scene import Split, make_scene

RUNS = Path("runs")
CHUNK = 500


def pictures(split: Split, count: int, side: int = 64) -> NDArray[np.uint8]:
    """Return `count` rendered scenes of a split, (count, side, side, 3), from a file filled once."""
    RUNS.mkdir(exist_ok=True)
    file, marks = RUNS / f"{split}-{count}-{side}.u8", RUNS / f"{split}-{count}-{side}.done"
    array = np.memmap(file, np.uint8, "r+" if file.exists() else "w+", shape=(count, side, side, 3))
    done = int(marks.read_text()) if marks.exists() else 0
    for start in tqdm(range(done, count, CHUNK), desc=f"pictures ({split})", disable=done >= count):
        for index in range(start, min(start + CHUNK, count)):
            array[index] = np.asarray(render(make_scene(index, split), side))
        array.flush()
        marks.write_text(str(start + CHUNK))
    return array


def train(
    folder: Path,
    model: nn.Module,
    loss_of: Callable[[int], Tensor],
    *,
    steps: int,
    rate: float,
    warm_up: int = 200,
    every: int = 500,
    scores_of: Callable[[], dict[str, float]] = dict,
) -> None:
    """Train `model` by AdamW, warm-up and cosine; `loss_of(step)` must depend on nothing but the weights and the step.

    Each `every` steps the scores are written to curves.csv, and the state is saved whole (a folder renamed
    into place), so that a run killed at any moment goes on as if it had not been.
    """
    accelerator = Accelerator()
    decays = [parameter for parameter in model.parameters() if parameter.ndim > 1 and parameter.requires_grad]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1 and parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": decays, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / warm_up) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps))),
    )
    model, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    first = _resume(accelerator, folder)
    losses, began = [], time.monotonic()
    for step in tqdm(range(first, steps), initial=first, total=steps, desc=folder.name):
        model.train()
        loss = loss_of(step)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        if (step + 1) % every == 0 or step + 1 == steps:
            model.eval()
            row = {"step": step + 1, "loss": float(np.mean(losses)), "seconds": time.monotonic() - began, **scores_of()}
            losses.clear()
            _note(folder, row)
            _save(accelerator, folder, step + 1)


def _resume(accelerator: Accelerator, folder: Path) -> int:
    state, old = folder / "state", folder / "state.old"
    if old.exists() and not state.exists():  # killed between the two renames of _save
        old.rename(state)
    if not state.exists():
        folder.mkdir(parents=True, exist_ok=True)
        return 0
    accelerator.load_state(str(state))
    return int(json.loads((state / "step.json").read_text()))


def _save(accelerator: Accelerator, folder: Path, step: int) -> None:
    fresh, state, old = folder / "state.new", folder / "state", folder / "state.old"
    for left in (fresh, old):  # by a run killed while it saved
        shutil.rmtree(left, ignore_errors=True)
    accelerator.save_state(str(fresh))
    (fresh / "step.json").write_text(str(step))
    if state.exists():
        state.rename(old)
    fresh.rename(state)
    shutil.rmtree(old, ignore_errors=True)


def _note(folder: Path, row: dict[str, float]) -> None:
    tqdm.write("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
    file = folder / "curves.csv"
    is_new = not file.exists()
    with file.open("a", newline="") as table:
        writer = csv.DictWriter(table, row)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
