"""The small world as an image folder: pictures, metadata.jsonl and a contact sheet."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Generic, Literal, TypeVar

import PIL.Image

from kuamo.messages import Language
from kuamo.world import chest, chest_picture
from kuamo.world.language import Question, caption, questions
from kuamo.world.picture import render
from kuamo.world.scene import Scene, Split, make_scene

Truth = TypeVar("Truth")
DomainName = Literal["scenes", "chest"]
SHEET_COLUMNS, SHEET_MOST = 8, 64


@dataclass(frozen=True)
class Domain(Generic[Truth]):
    """A kind of picture, by what it does with a truth: make it, draw it side × side, say it, ask about it."""

    make: Callable[[int, Split, int], Truth]
    render: Callable[[Truth, int], PIL.Image.Image]
    caption: Callable[[Truth, Language], str]
    questions: Callable[[Truth, Language, Random, int], list[Question]]


DOMAINS: dict[DomainName, Domain[Any]] = {
    "scenes": Domain[Scene](make_scene, render, caption, questions),
    "chest": Domain[chest.Chest](chest.make_chest, chest_picture.render, chest.findings, chest.questions),
}


def write_sample(
    count: int, seed: int, folder: Path, *, domain: DomainName = "scenes", split: Split = "held_out", side: int = 64
) -> Iterator[int]:
    """Write `count` pictures of a domain and a split as an image folder; yield how many are done after each.

    metadata.jsonl has a row a picture: `file_name`, `caption_zh`, `caption_en`, `scene` and `questions` (each with
    `question`, `answer`, `kind`, `language`). contact_sheet.png shows the first 64.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown: list[PIL.Image.Image] = []
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as table:
        for index in range(count):
            picture, row = _example(DOMAINS[domain], index, seed, split, side)
            picture.save(folder / row["file_name"])
            table.write(json.dumps(row, ensure_ascii=False) + "\n")
            shown = shown if len(shown) == SHEET_MOST else [*shown, picture]
            yield index + 1
    if shown:
        contact_sheet(shown).save(folder / "contact_sheet.png")


def _example(
    domain: Domain[Any], index: int, seed: int, split: Split, side: int
) -> tuple[PIL.Image.Image, dict[str, Any]]:
    truth = domain.make(index, split, seed)
    random = Random(f"{seed}/{index}")
    asked = [question for language in ("zh", "en") for question in domain.questions(truth, language, random, 6)]
    return domain.render(truth, side), {
        "file_name": f"{index:06d}.png",
        "caption_zh": domain.caption(truth, "zh"),
        "caption_en": domain.caption(truth, "en"),
        "scene": asdict(truth),
        "questions": [asdict(question) for question in asked],
    }


def contact_sheet(pictures: list[PIL.Image.Image], scale: int = 2, gap: int = 4) -> PIL.Image.Image:
    """Return pictures of one size, enlarged, in rows of eight."""
    width, height = (scale * side + gap for side in pictures[0].size)
    rows = -(-len(pictures) // SHEET_COLUMNS)
    sheet = PIL.Image.new("RGB", (width * min(len(pictures), SHEET_COLUMNS) + gap, height * rows + gap), "white")
    for place, picture in enumerate(pictures):
        row, column = divmod(place, SHEET_COLUMNS)
        large = picture.resize((width - gap, height - gap), PIL.Image.Resampling.NEAREST)
        sheet.paste(large, (column * width + gap, row * height + gap))
    return sheet
