"""Prompts: what someone who wants a scene drawn would write, in Chinese and English.

A caption says all; a prompt leaves out what does not matter to its writer, in any order. Every thing is named, though:
who learns to draw from prompts then draws these and no others.
"""

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from kuamo.messages import Language
from kuamo.world.language import name, plural, with_article
from kuamo.world.scene import Scene, Thing, words
from kuamo.world.tables import read_table

# How often a prompt says what is around the things, and of the things their colours and sizes.
AROUND = {"ground": 0.75, "time": 0.7, "weather": 0.35, "style": 0.55}
OF_THINGS = {"colour": 0.85, "size": 0.3}
PLACED = 0.35
NUMBERS = {"en": ("", "two", "three", "four"), "zh": ("一", "两", "三", "四")}


@dataclass(frozen=True)
class Prompt:
    """A prompt, and what it says of the scene: "" stands for what it leaves out, `placed` is whether it says where."""

    text: str
    said: Scene
    placed: bool


def prompt(scene: Scene, language: Language, random: Random) -> Prompt:
    """Return a prompt that asks for a scene, or for one of which less is said."""
    left_out: dict[str, Any] = {aspect: "" for aspect, share in AROUND.items() if random.random() >= share}
    of_things: dict[str, Any] = {aspect: "" for aspect, share in OF_THINGS.items() if random.random() >= share}
    things = [replace(thing, **of_things) for thing in scene.things]
    random.shuffle(things)
    said = replace(scene, things=tuple(things), **left_out)
    placed = random.random() < PLACED
    return Prompt(_worded(said, placed, language, random), said, placed)


def mention(thing: Thing, language: Language, random: Random) -> Prompt:
    """Return a prompt that asks for a thing of a kind and, mostly, a colour, whatever is around it."""
    said = Scene("", "", "", "", (replace(thing, size="", colour=thing.colour if random.random() < 0.8 else ""),), 0)
    return Prompt(_worded(said, False, language, random), said, False)


def _worded(said: Scene, placed: bool, language: Language, random: Random) -> str:
    around = [aspect for aspect in ("ground", "time", "weather") if getattr(said, aspect)]
    random.shuffle(around)
    details = (" " if language == "en" else "").join(_line(said, aspect, language, random) for aspect in around)
    things = _things(said.things, placed, language, random)
    orders = read_table("prompts")["order"][language] if details else ["{things}"]
    slots = {"plain": orders[0], "text": random.choice(orders), "style": "", "picture": ""}
    slots = {slot: order.format(things=things, details=details) for slot, order in slots.items()}
    if said.style:
        slots |= {table: _line(said, table, language, random) for table in ("style", "picture")}
    frame: str = random.choice(read_table("prompts")["styled" if said.style else "unstyled"][language])
    return frame.format(**slots) + _sometimes("quality", 0.1, language, random)


def _line(said: Scene, table: str, language: Language, random: Random) -> str:
    value = said.style if table == "picture" else getattr(said, table)
    line: str = random.choice(read_table("prompts")[table][value][language])
    return line


def _sometimes(table: str, share: float, language: Language, random: Random) -> str:
    return random.choice(read_table("prompts")[table][language]) if random.random() < share else ""


def _things(things: tuple[Thing, ...], placed: bool, language: Language, random: Random) -> str:
    """List things; those of which the same is said are counted: `two red cats`, `两只红猫`."""
    if placed:
        phrases = [_placed(thing, language, random) for thing in things]
    else:
        alike = Counter(replace(thing, column=0) for thing in things)
        phrases = [_counted(thing, count, language, random) for thing, count in alike.items()]
    comma, last = (", ", " and ") if language == "en" else random.choice((("、", "和"), ("，", "，")))
    return comma.join(phrases[:-1]) + (last if phrases[1:] else "") + phrases[-1]


def _placed(thing: Thing, language: Language, random: Random) -> str:
    place, phrase = name("place", thing.place, language, random), _counted(thing, 1, language, random)
    return f"{phrase} {place}" if language == "en" else random.choice((f"{place}的{phrase}", f"{place}{phrase}"))


def _counted(thing: Thing, count: int, language: Language, random: Random) -> str:
    described, bare = _described(thing, count, language, random), random.random() < 0.3
    if count == 1 and bare:
        return described
    if language == "en":
        return f"{NUMBERS['en'][count - 1]} {described}" if count > 1 else with_article(described)
    measure: str = words()["kind"][thing.kind]["measure"]
    return NUMBERS["zh"][count - 1] + measure + described


def _described(thing: Thing, count: int, language: Language, random: Random) -> str:
    noun = name("kind", thing.kind, language, random if count == 1 else None)
    size, colour = (
        name(aspect, value, language, random) if value else ""
        for aspect, value in (("size", thing.size), ("colour", thing.colour))
    )
    praise = _sometimes("praise", 0.06, language, random)
    if language == "en":
        return praise + " ".join(filter(None, (size, colour, plural(noun) if count > 1 else noun)))
    if colour:
        colour = random.choice((f"{colour}的", colour, colour.removesuffix("色")))
    return f"{praise}{size and size + '的'}{colour}{noun}"
