"""The judge of drawn pictures: says what is in a picture of the small world, and so whether it is what was asked for.

    python recipes/judge.py                 train (resumes), 7 minutes on two cores

Independent of all that draws: a convolutional network that learns from rendered scenes alone, with a seed of its own.
Each of the six places that a thing can have is looked at by the same layer. Blur and noise keep it from minding how
sharp a picture is.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from random import Random

import numpy as np
import torch
from nano_clip import ASPECTS, CELLS, HELD_OUT, NOTHING, OF_A_THING, TRAIN, tags_of
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, cross_entropy
from training import RUNS, Task, pictures, train

from kuamo.world.prompt import Prompt
from kuamo.world.scene import Scene, Thing, make_scene, words

STEPS = 1_500


class Judge(nn.Module):
    """About 1 M parameters: pictures (n, 3, 64, 64) in 0 … 1 to the logits of what `tags_of` lists, cell by cell."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = {
            "around": [len(words()[aspect]) for aspect in ASPECTS],
            "cell": [len(words()[aspect]) + (aspect == "kind") for aspect in OF_A_THING],
        }
        self.trunk = nn.Sequential(
            *_convolution(3, 48, stride=2), *_convolution(48, 96), nn.MaxPool2d(2), *_convolution(96, 160),
            *_convolution(160, 160), nn.MaxPool2d(2), *_convolution(160, 192), *_convolution(192, 192),
        )  # fmt: skip
        self.around = nn.Linear(192, sum(self.classes["around"]))
        self.cell = nn.Linear(192, sum(self.classes["cell"]))

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Return four logits of all (n, classes), then for each cell those of its thing's kind, colour and size."""
        features = self.trunk(pixels * 2 - 1)
        around = self.around(features.mean((2, 3))).split(self.classes["around"], -1)
        rows = adaptive_avg_pool2d(features, (2, 3))  # sky and ground, from left to right: CELLS goes by columns
        cells = self.cell(rows.permute(0, 3, 2, 1).flatten(1, 2)).unbind(1)
        return [*around, *(logits for cell in cells for logits in cell.split(self.classes["cell"], -1))]

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.around.weight.device

    @torch.inference_mode()
    def see(self, batch: NDArray[np.uint8]) -> list[Scene]:
        """Return what is in pictures (n, 64, 64, 3)."""
        with torch.autocast(self.device.type, torch.bfloat16):
            tags = self(_pixels(batch).to(self.device))
        return [_scene(classes) for classes in torch.stack([logits.argmax(-1) for logits in tags], -1).tolist()]


def _convolution(incoming: int, outgoing: int, stride: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(incoming, outgoing, 3, stride, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(outgoing), nn.ReLU(inplace=True)]


def _pixels(batch: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2).float() / 255


def _scene(classes: list[int]) -> Scene:
    """The reverse of `tags_of`."""
    around = [list(words()[aspect])[value] for aspect, value in zip(ASPECTS, classes, strict=False)]
    things = []
    for (column, sky), start in zip(CELLS, range(len(ASPECTS), len(classes), 3), strict=True):
        kind, colour, size = classes[start : start + 3]
        if kind:
            values = zip(OF_A_THING, (kind - 1, colour, size), strict=True)
            things.append(Thing(*(list(words()[aspect])[value] for aspect, value in values), column, sky))
    return Scene(*around, tuple(things), seed=0)


class Looking(Task):
    """The loss of a step: what is in each of a batch of rendered pictures, some of them blurred or noisy."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.judge, self.batch, self.pictures = Judge(), batch, pictures("train", TRAIN)

    def forward(self, step: int) -> Tensor:
        """Return the mean cross-entropy of the step's tags."""
        indices = sorted(Random(f"judge/{step}").sample(range(TRAIN), self.batch))
        truth = torch.tensor([tags_of(make_scene(index)) for index in indices])
        pixels = _worn(_pixels(self.pictures[indices]), torch.Generator().manual_seed(step))
        with torch.autocast(self.judge.device.type, torch.bfloat16):
            tags = self.judge(pixels.to(self.judge.device))
        losses = [
            cross_entropy(logits[known].float(), column[known].to(self.judge.device))
            for logits, column in zip(tags, truth.T, strict=True) if (known := column != NOTHING).any()
        ]  # fmt: skip
        return torch.stack(losses).mean()

    def scores(self) -> dict[str, float]:
        """Return the share of each attribute that is seen in held-out pictures."""
        seen = self.judge.see(pictures("held_out", HELD_OUT)[:1_000])
        return shares([Prompt("", make_scene(index, "held_out"), True) for index in range(len(seen))], seen)


def _worn(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Blur each picture and add noise to it, by amounts of its own."""
    blur, noise = torch.rand(2, len(pixels), 1, 1, 1, generator=generator)
    blurred = avg_pool2d(pixels, 3, 1, 1, count_include_pad=False)
    grain = torch.randn(pixels.shape, generator=generator) * 0.03
    return pixels.lerp(blurred, blur) + grain * noise


def attributes(asked: Prompt, seen: Scene) -> dict[str, list[bool]]:
    """Return for each attribute that a prompt states whether it is in a picture, seen as a scene.

    A thing counts once, so that two red cats must be two; `place` asks for the thing where it was said to be, and
    `nothing else` for as many things as were named.
    """
    said = asked.said
    right = {
        aspect: [getattr(said, aspect) == getattr(seen, aspect)]
        for aspect in ("ground", "time", "weather", "style") if getattr(said, aspect)
    }  # fmt: skip
    right["thing"] = _found([thing.kind for thing in said.things], [thing.kind for thing in seen.things])
    for aspect, is_said in (("colour", said.things[0].colour), ("place", asked.placed)):
        if is_said:
            pairs = ([(thing.kind, getattr(thing, aspect)) for thing in scene.things] for scene in (said, seen))
            right[aspect] = _found(*pairs)
    return {**right, "nothing else": [len(seen.things) <= len(said.things)]}


def _found(wanted: list[object], present: list[object]) -> list[bool]:
    """Whether each wanted one is present, as often as it is wanted."""
    left, found = Counter(present), []
    for one in wanted:
        found.append(left[one] > 0)
        left[one] -= 1
    return found


def shares(asked: Iterable[Prompt], seen: Iterable[Scene]) -> dict[str, float]:
    """Return the share of the stated attributes that are seen: thing, colour, ground and time together, then each."""
    right: dict[str, list[bool]] = defaultdict(list)
    for one, scene in zip(asked, seen, strict=True):
        for name, values in attributes(one, scene).items():
            right[name] += values
    stated = [value for name in ("thing", "colour", "ground", "time") for value in right[name]]
    each = {name: float(np.mean(values)) for name, values in right.items() if values}
    return {"stated": float(np.mean(stated)), **each}


def trained(steps: int = STEPS, batch: int = 128) -> Judge:
    """Return the judge, trained before or now."""
    task = Looking(batch)
    train(RUNS / "judge", task, steps=steps, rate=3e-3, warm_up=100, every=250, scored=250)
    return task.judge.eval().requires_grad_(False)


def main() -> None:
    """Train the judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trained(options.steps)


if __name__ == "__main__":
    main()
