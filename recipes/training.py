"""What every recipe shares: pictures rendered once, a training loop that resumes after `kill -9`, and its curves."""

import json
import logging
import math
import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from kuamo.world.picture import render
from kuamo.world.scene import Split, make_scene

logging.getLogger("accelerate.utils.other").setLevel(logging.ERROR)  # it warns that tied weights are saved once

RUNS = Path("runs")
CHUNK = 500
BEGIN, END = "<!-- scores: made by `make scores` -->", "<!-- end of scores -->"
"""Around the scores in a model's card."""


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


class Task(nn.Module):
    """What is trained. `forward(step)` gives the loss of a step, which depends on nothing but the weights and the step;
    `scores` watch over it.
    """

    def scores(self) -> dict[str, float]:
        """Return what is measured now and then, on data that no step sees."""
        return {}


def train(
    folder: Path, task: Task, *, steps: int, rate: float, warm_up: int = 200, every: int = 500, scored: int = 500
) -> None:
    """Train `task` with a warm-up and a cosine that ends at 2 % of `rate`.

    The loss is noted in curves.jsonl, with the scores each `scored` steps; each `every` steps the state is saved whole
    (a folder renamed into place), so that a run killed at any moment goes on, with as many threads, as if it had not
    been.
    """
    accelerator = Accelerator()
    prepared = accelerator.prepare(task, *new_optimizers(task, rate))
    model, optimizers = prepared[0], prepared[1:]
    first, losses = _resume(accelerator, folder), []
    for step in tqdm(range(first, steps), initial=first, total=steps, desc=folder.name, mininterval=10):
        for group in chain.from_iterable(optimizer.param_groups for optimizer in optimizers):
            group["lr"] = rate * share_of_rate(step, steps, warm_up)
        model.train()
        loss = model(step)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        is_last = step + 1 == steps
        if (step + 1) % every == 0 or is_last:
            model.eval()
            scores = task.scores() if (step + 1) % scored == 0 or is_last else {}
            _note(folder, {"step": step + 1, "loss": float(np.mean(losses)), **scores})
            losses.clear()
            _save(accelerator, folder, step + 1)


def draw(folder: Path, file: Path) -> None:
    """Draw what `train` noted in a folder as a picture: the loss in log scale, the scores on the right axis."""
    from matplotlib.figure import Figure

    lines = (folder / "curves.jsonl").read_text().splitlines()
    rows = {row["step"]: row for row in map(json.loads, lines)}.values()  # after a kill a step is noted again
    figure = Figure(figsize=(8, 4), layout="constrained")
    axis = figure.subplots()
    axis.plot([row["step"] for row in rows], [row["loss"] for row in rows], color="black", linewidth=0.8)
    axis.set(xlabel="step", ylabel="loss", yscale="log")
    right = axis.twinx()
    for name in dict.fromkeys(name for row in rows for name in row if name not in ("step", "loss")):
        scored = [row for row in rows if name in row]
        right.plot([row["step"] for row in scored], [row[name] for row in scored], marker=".", label=name)
    right.set(ylabel="scores", ylim=(0, 1))
    if right.lines:
        figure.legend(loc="outside upper center", ncols=4, fontsize="small")
    figure.savefig(file, dpi=80)


def finish(folder: Path, run: Path, card: str) -> None:
    """Put a model's card and the curves of its run beside its weights, and let all read these, as the other files."""
    for weights in folder.rglob("*.safetensors"):
        weights.chmod(0o644)
    draw(run, folder / "curves.png")
    (folder / "README.md").write_text(card, encoding="utf-8")


def new_optimizers(task: nn.Module, rate: float) -> list[torch.optim.Optimizer]:
    """Return Muon (Jordan et al. 2024) for the layers' matrices, which takes a third fewer steps here than AdamW does,
    and AdamW for all else.
    """
    learned = {name: weight for name, weight in task.named_parameters() if weight.requires_grad}
    matrices = [weight for name, weight in learned.items() if ".layers." in name and weight.ndim == 2]
    others = [weight for name, weight in learned.items() if ".layers." not in name or weight.ndim != 2]
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw") if matrices else None
    return [*filter(None, [muon]), torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)]


def share_of_rate(step: int, steps: int, warm_up: int) -> float:
    """Return the share of the highest rate: a linear warm-up, then a cosine from 1 to 0.02."""
    falling = 0.5 + 0.5 * math.cos(math.pi * max(0, step - warm_up) / max(1, steps - warm_up))
    return min(1.0, (step + 1) / warm_up) * (0.02 + 0.98 * falling)


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
    with (folder / "curves.jsonl").open("a") as rows:
        rows.write(json.dumps(row) + "\n")
