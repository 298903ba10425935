"""Scenes: what a picture of the small world holds. Seeded, endless, and known to the last detail."""

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from kuamo.world.tables import read_table

Split = Literal["train", "held_out", "combinations"]

SKY_KINDS = ("cloud", "bird", "balloon", "kite")
PLACES = ("left", "middle", "right")
COLOURS_OF = {"cloud": ("white", "grey"), "sunflower": ("yellow", "orange")}
GROUNDS_IN = {"snowfall": ("field", "snow", "road"), "rain": ("field", "sea", "road"), "clear": ()}
# Pairs of colour and thing that no training picture holds: to be understood from their parts.
HELD_OUT_PAIRS = frozenset(
    {
        ("blue", "boat"), ("green", "cat"), ("purple", "car"), ("pink", "house"), ("white", "balloon"), ("red", "bird"),
        ("yellow", "umbrella"), ("orange", "flag"), ("black", "dog"), ("grey", "rabbit"), ("green", "bus"),
        ("blue", "tree"),
    }
)  # fmt: skip


def words() -> dict[str, dict[str, Any]]:
    """Return words.toml: for each aspect, its values with what they are called in English (`en`) and Chinese (`zh`)."""
    return read_table("words")


@dataclass(frozen=True)
class Thing:
    """One thing: `column` 0 (left) to 2 (right), in the `sky` or on the ground."""

    kind: str
    colour: str
    size: str
    column: int
    sky: bool

    @property
    def place(self) -> str:
        """left, middle or right."""
        return PLACES[self.column]


@dataclass(frozen=True)
class Scene:
    """A picture's content; `seed` moves and shades it without changing what is true of it."""

    time: str
    weather: str
    ground: str
    style: str
    things: tuple[Thing, ...]
    seed: int

    def of(self, kind: str) -> tuple[Thing, ...]:
        """Return the things of a kind."""
        return tuple(thing for thing in self.things if thing.kind == kind)


def make_scene(index: int, split: Split = "train", seed: int = 0) -> Scene:
    """Return the scene of that index in a split.

    `train` and `held_out` share no scene and hold none of HELD_OUT_PAIRS; every scene of `combinations` holds one.
    """
    random = Random(f"{split}/{seed}/{index}")
    weather = random.choice(("clear", "clear", "clear", "rain", "snowfall"))
    ground = random.choice(GROUNDS_IN[weather] or tuple(words()["ground"]))
    pair = random.choice(sorted(HELD_OUT_PAIRS)) if split == "combinations" else None
    scene = Scene(
        time=random.choice(tuple(words()["time"])),
        weather=weather,
        ground=ground,
        style=random.choice(tuple(words()["style"])),
        things=_things(random, pair),
        seed=random.getrandbits(32),
    )
    content = (scene.time, scene.weather, scene.ground, scene.style, scene.things)
    return scene if belongs(content, split) else make_scene(index, split, seed + 1_000_003)


def belongs(content: object, split: Split) -> bool:
    """Whether what a picture holds may stand in a split: decided by its repr alone, so that splits share none.

    Nine of ten contents are for `train`, the tenth for `held_out`; `combinations` may hold any.
    """
    return split == "combinations" or (Random(repr(content)).random() < 0.9) == (split == "train")


def _things(random: Random, pair: tuple[str, str] | None) -> tuple[Thing, ...]:
    cells = [(column, sky) for column in range(3) for sky in (True, False)]
    chosen = random.sample(cells, random.choice((1, 2, 2, 3, 3, 4, 4)))
    if pair and not any(sky == (pair[1] in SKY_KINDS) for _, sky in chosen):
        chosen[0] = (chosen[0][0], pair[1] in SKY_KINDS)
    repeated = {sky: _kind(random, sky) for sky in (True, False)}
    things = []
    for column, sky in sorted(chosen):
        kind = repeated[sky] if random.random() < 0.4 else _kind(random, sky)
        colour = random.choice(_colours(kind))
        if pair and sky == (pair[1] in SKY_KINDS):
            (colour, kind), pair = pair, None
        things.append(Thing(kind, colour, random.choice(("small", "large")), column, sky))
    return tuple(things)


def _kind(random: Random, sky: bool) -> str:
    return random.choice(SKY_KINDS if sky else tuple(kind for kind in words()["kind"] if kind not in SKY_KINDS))


def _colours(kind: str) -> tuple[str, ...]:
    allowed = COLOURS_OF.get(kind, tuple(words()["colour"]))
    return tuple(colour for colour in allowed if (colour, kind) not in HELD_OUT_PAIRS)
