"""How much of what a prompt states is in the picture that nano-diffusion draws of it, as Kuamo runs it.

    python recipes/drawing_scores.py        print the score at several guidance scales, 100 prompts each

Seen by two that know nothing of each other: the judge, and nano-llava, which is asked about each thing.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
from judge import Judge, shares, trained
from nano_diffusion import SIDE, prompts
from numpy.typing import NDArray
from tqdm import tqdm

from kuamo.capabilities.answer import answer
from kuamo.capabilities.draw import draw
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, DrawRequest, Message, Sampling
from kuamo.evaluation import normalised
from kuamo.media.image import Image
from kuamo.messages import Language
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.language import ASK, Question, alone, colour_of, count_of
from kuamo.world.phrases import LANGUAGES
from kuamo.world.picture import render
from kuamo.world.prompt import Prompt
from kuamo.world.scene import make_scene

GUIDANCES = (1.0, 2.0, 3.0, 4.0, 5.5, 7.5)
APART = 8
"""Two pictures of one prompt differ where their pixels are this far apart (of 255) in the mean."""


def drawing_scores(models: Models, count: int = 500) -> dict[str, float]:
    """Return the share of stated attributes in `count` held-out prompts' pictures, and that in rendered pictures."""
    judge, asked = trained(), prompts(count)
    drawn = drawings(models, asked, 20)
    again = drawings(models, asked[:100], 20, seed=1_000)
    rendered = np.stack([np.asarray(render(make_scene(index, "held_out"), SIDE)) for index in range(count)])
    scores = shares(asked, judge.see(drawn))
    return {
        "stated in the prompt and drawn": scores.pop("stated"),
        "the same, 50 steps": seen(judge, asked, drawings(models, asked, 50)),
        "the same, by nano-llava": told(models, asked, drawn),
        "the judge, of rendered pictures": seen(judge, asked, rendered),
        **{f"drawn: {name}": share for name, share in scores.items()},
        **{f"prompts in {one}": seen(judge, asked[n::2], drawn[n::2]) for n, one in enumerate(LANGUAGES)},
        "another seed differs": float((distance(drawn[: len(again)], again) > APART).mean()),
    }


def drawings(
    models: Models, asked: list[Prompt], steps: int, guidance: float | None = None, seed: int = 0
) -> NDArray[np.uint8]:
    """Return a picture of each prompt (n, side, side, 3), the n-th with seed + n; guidance None: Kuamo's own."""
    drawn = []
    for index, one in enumerate(tqdm(asked, desc=f"nano-diffusion, {steps} steps", mininterval=5)):
        request = DrawRequest(
            prompt=one.text, width=SIDE, height=SIDE, steps=steps, seed=seed + index, model="nano-diffusion"
        )
        request = request if guidance is None else replace(request, guidance=guidance)
        drawn.append(draw(request, models).result().pictures[0].image.pixels)
    return np.stack(drawn)


def seen(judge: Judge, asked: list[Prompt], drawn: NDArray[np.uint8]) -> float:
    """Return the share of the stated things, colours, grounds and times that the judge sees."""
    return shares(asked, judge.see(drawn))["stated"]


def told(models: Models, asked: list[Prompt], drawn: NDArray[np.uint8]) -> float:
    """Return the share of nano-llava's answers about the pictures that are as the prompts state it."""
    right = []
    for index, one in enumerate(tqdm(asked, desc="nano-llava", mininterval=5)):
        for question in stated(one, LANGUAGES[index % 2]):
            turn = Message("user", question.question, (Image(drawn[index]),))
            request = ChatRequest(messages=(turn,), sampling=Sampling(temperature=0), model="nano-llava")
            right.append(normalised(answer(request, models).result().text) == normalised(question.answer))
    return float(np.mean(right))


def stated(one: Prompt, language: Language) -> Iterator[Question]:
    """Yield questions about what a prompt states: how many of each kind, colours, ground and time."""
    random = Random(one.text)
    for kind in sorted({thing.kind for thing in one.said.things}):
        yield count_of(one.said, kind, language, random)
    for thing in alone(one.said):
        if thing.colour:
            yield colour_of(thing, language, random)
    for aspect in ("ground", "time"):
        if getattr(one.said, aspect) and (question := ASK[aspect](one.said, language, random)):
            yield question


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how far pictures' pixels are apart in the mean, (n)."""
    return np.abs(one.astype(np.float32) - other).mean((1, 2, 3))


def main() -> None:
    """Print what guidance does."""
    models, judge, asked = Models(Catalogue.load(), Settings()), trained(), prompts(100)
    for guidance in GUIDANCES:
        print(f"guidance {guidance}: {seen(judge, asked, drawings(models, asked, 20, guidance)):.1%}")


if __name__ == "__main__":
    main()
