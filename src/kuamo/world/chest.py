"""Chest slices: the small world's second domain, which none of its models is trained on.

**A phantom, not medical data, and for no clinical use.** Every slice is drawn from a few ovals and lines; nothing
comes from a patient, and what a model learns here says nothing about one. It is there to tune a model on something new
and to measure, against a known truth, what that brought.

A slice is axial and shown as radiologists show it: the front on top, the patient's right on the picture's left. It
holds one nodule or none. The level tells the lobes apart: the `upper` (trachea, small mediastinum) is all upper lobe,
the `lower` (large heart, dome of the liver) all lower lobe; in the `middle` (two bronchi, a fissure across each lung)
the front is the right middle lobe and the left upper one, the back both lower ones. A nodule's size is the diameter of
its body in whole millimetres, without the spicules. The phantom is as large as a small child.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random
from typing import Any

from kuamo.messages import Language
from kuamo.world.language import YES_NO, Kind, Question, first_or_any
from kuamo.world.scene import Split, belongs
from kuamo.world.tables import read_table

VIEW_MM = 192
SIZES_MM = (6, 10, 16, 24)
# Lobe, border and size that no training picture holds together: to be understood from their parts.
HELD_OUT_TRIPLES = frozenset(
    {
        ("right_upper", "spiculated", 10), ("right_middle", "smooth", 16), ("right_middle", "spiculated", 6),
        ("right_lower", "spiculated", 24), ("left_upper", "smooth", 6), ("left_upper", "spiculated", 24),
        ("left_lower", "smooth", 10), ("left_lower", "spiculated", 16),
    }
)  # fmt: skip


def chest_words() -> dict[str, dict[str, Any]]:
    """Return chest.toml: what lobes and borders are called, the questions and the reports, in English and Chinese."""
    return read_table("chest")


def anatomy() -> dict[str, dict[str, Any]]:
    """Return chest_anatomy.toml: tissues in Hounsfield units, organs and the lobes' regions in millimetres."""
    return read_table("chest_anatomy")


@dataclass(frozen=True)
class Nodule:
    """A nodule: its lobe, border and diameter, and its middle in millimetres right of and below the picture's."""

    lobe: str
    border: str
    size_mm: int
    x_mm: float
    y_mm: float

    @property
    def reach_mm(self) -> float:
        """How far its spicules go from its middle, in millimetres; as much is kept free about a smooth one."""
        return self.size_mm * 0.6 + 3.4


@dataclass(frozen=True)
class Chest:
    """A slice's content: `level` is upper, middle or lower; `seed` shapes the body, its vessels and the noise."""

    level: str
    nodule: Nodule | None
    seed: int


@dataclass(frozen=True)
class Frame:
    """Where a phantom lies in the picture: stretched by `breadth` and `depth`, then moved, in millimetres."""

    breadth: float = 1.0
    depth: float = 1.0
    right_mm: float = 0.0
    down_mm: float = 0.0

    @classmethod
    def of(cls, seed: int) -> "Frame":
        """Return the frame of a slice's seed."""
        random = Random(f"frame/{seed}")
        breadth, depth = random.uniform(0.96, 1.03), random.uniform(0.95, 1.05)
        return cls(breadth, depth, random.uniform(-3, 3), random.uniform(-4, 4))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the phantom lies in the picture, in millimetres from its middle."""
        return x * self.breadth + self.right_mm, y * self.depth + self.down_mm


def make_chest(index: int, split: Split = "train", seed: int = 0) -> Chest:
    """Return the slice of that index in a split; a third of them hold no nodule.

    `train` and `held_out` share no slice and hold none of HELD_OUT_TRIPLES; every slice of `combinations` holds one.
    """
    random = Random(f"chest/{split}/{seed}/{index}")
    own_seed = random.getrandbits(32)
    if split != "combinations" and random.random() < 1 / 3:
        chest = Chest(random.choice(tuple(anatomy()["region"])), None, own_seed)
    else:
        chest = _with_nodule(random, _triples(split == "combinations"), own_seed)
    return chest if belongs(chest, split) else make_chest(index, split, seed + 1_000_003)


@cache
def _triples(held_out: bool) -> tuple[tuple[str, str, int], ...]:
    triples = product(chest_words()["lobe"], chest_words()["border"], SIZES_MM)
    return tuple(triple for triple in triples if (triple in HELD_OUT_TRIPLES) == held_out)


def _with_nodule(random: Random, triples: tuple[tuple[str, str, int], ...], seed: int) -> Chest:
    lobe, border, size_mm = random.choice(triples)
    level = random.choice([level for level, lobes in anatomy()["region"].items() if lobe in lobes])
    x, y, across, down = anatomy()["region"][level][lobe]
    middle_x, middle_y = Frame.of(seed).place(x, y)
    reach = Nodule(lobe, border, size_mm, 0, 0).reach_mm
    angle, share = random.uniform(0, math.tau), math.sqrt(random.random())
    nodule = Nodule(
        lobe, border, size_mm,
        round(middle_x + (across - reach) * share * math.cos(angle), 1),
        round(middle_y + (down - reach) * share * math.sin(angle), 1),
    )  # fmt: skip
    return Chest(level, nodule, seed)


def _name(aspect: str, value: str, language: Language, random: Random | None = None) -> str:
    return first_or_any(chest_words()[aspect][value][language], random)


def _ask(kind: Kind, language: Language, answer: str, random: Random, template: str = "", **slots: str) -> Question:
    wordings: list[str] = chest_words()["question"][template or kind][language]
    return Question(random.choice(wordings).format(**slots), answer, kind, language)


def _yes_no(chest: Chest, language: Language, random: Random) -> Question:
    """Half of them ask about one lobe: the nodule's own in half of the cases where there is one."""
    if random.random() < 0.5:
        return _ask("yes_no", language, YES_NO[language][chest.nodule is not None], random)
    true = chest.nodule.lobe if chest.nodule and random.random() < 0.5 else None
    lobe = true or random.choice([lobe for lobe in chest_words()["lobe"] if not _holds(chest, lobe)])
    slot = _name("lobe", lobe, language, random)
    return _ask("yes_no", language, YES_NO[language][true is not None], random, "yes_no_lobe", lobe=slot)


def _holds(chest: Chest, lobe: str) -> bool:
    return chest.nodule is not None and chest.nodule.lobe == lobe


def _size(nodule: Nodule, language: Language) -> str:
    return f"{nodule.size_mm} mm" if language == "en" else f"{nodule.size_mm}毫米"


ANSWERS: dict[Kind, Callable[[Nodule, Language], str]] = {
    "lobe": lambda nodule, language: _name("lobe", nodule.lobe, language),
    "size": _size,
    "border": lambda nodule, language: _name("border", nodule.border, language),
}
"""What can be asked of a nodule, and the right answer."""


def questions(chest: Chest, language: Language, random: Random, count: int) -> list[Question]:
    """Return up to `count` questions of different kinds about a slice, in random order.

    Of a slice without a nodule two are asked: whether there is one, and a question whose answer is that there is none.
    """
    asked = [_yes_no(chest, language, random)]
    if nodule := chest.nodule:
        asked += [_ask(kind, language, answer(nodule, language), random) for kind, answer in ANSWERS.items()]
    else:
        asked.append(_ask("absent", language, findings(chest, language), random, random.choice(tuple(ANSWERS))))
    return random.sample(asked, min(count, len(asked)))


def findings(chest: Chest, language: Language, random: Random | None = None) -> str:
    """Return a one-sentence report: lobe, size and border of the nodule, or that none is seen.

    With `random` in one of several wordings and with synonyms.
    """
    nodule = chest.nodule
    wording = first_or_any(chest_words()["findings" if nodule else "no_findings"][language], random)
    if not nodule:
        return wording
    names = {aspect: _name(aspect, getattr(nodule, aspect), language, random) for aspect in ("lobe", "border")}
    said = wording.format(size=nodule.size_mm, **names)
    return said[0].upper() + said[1:]
