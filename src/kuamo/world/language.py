"""What can be said and asked of a scene, in Chinese and English, with the truth as the answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from kuamo.messages import Language
from kuamo.world.scene import SKY_KINDS, Scene, Thing, words
from kuamo.world.tables import read_table

Kind = Literal[
    "what", "colour", "count", "where", "relation", "yes_no", "time", "weather", "ground", "style", "absent",
    "caption", "lobe", "size", "border",
]  # fmt: skip
ROW = {"en": {True: "in the sky", False: "on the ground"}, "zh": {True: "天上", False: "地上"}}
YES_NO = {"en": {True: "yes", False: "no"}, "zh": {True: "有", False: "没有"}}


@dataclass(frozen=True)
class Question:
    """A question about a scene, in one language, and its one right answer in that language."""

    question: str
    answer: str
    kind: Kind
    language: Language


def name(aspect: str, value: str, language: Language, random: Random | None = None) -> str:
    """Return what a value of an aspect (kind, colour, …) is called; one of its synonyms where `random` is given."""
    return first_or_any(words()[aspect][value][language], random)


def first_or_any(wordings: list[str], random: Random | None) -> str:
    """Return the usual wording, or any of them where `random` is given."""
    return random.choice(wordings) if random else wordings[0]


def plural(noun: str) -> str:
    """Return an English noun's plural."""
    return noun + ("es" if noun.endswith(("s", "sh", "ch")) else "s")


def with_article(noun: str) -> str:
    """Return an English noun with a or an."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def _ask(kind: Kind, language: Language, answer: str, random: Random, template: str = "", **slots: str) -> Question:
    wordings: list[str] = read_table("questions")[template or kind][language]
    return Question(random.choice(wordings).format(**slots), answer, kind, language)


def _slots(kind: str, language: Language, random: Random) -> dict[str, str]:
    noun = name("kind", kind, language, random)
    return {"thing": noun, "things": plural(noun), "measure": words()["kind"][kind]["measure"]}


def alone(scene: Scene) -> list[Thing]:
    """Return the things that are the only one of their kind: a question can name them."""
    return [thing for thing in scene.things if len(scene.of(thing.kind)) == 1]


def _absent(scene: Scene, random: Random) -> str:
    return random.choice([kind for kind in words()["kind"] if not scene.of(kind)])


def _what(scene: Scene, language: Language, random: Random) -> Question:
    thing = random.choice(scene.things)
    place, row = name("place", thing.place, language), ROW[language][thing.sky]
    return _ask("what", language, name("kind", thing.kind, language), random, place=place, row=row)


def colour_of(thing: Thing, language: Language, random: Random, template: str = "colour") -> Question:
    """Ask what colour a thing is; `template` is how (a heading of questions.toml)."""
    slots = _slots(thing.kind, language, random)
    return _ask("colour", language, name("colour", thing.colour, language), random, template, **slots)


def _colour(scene: Scene, language: Language, random: Random) -> Question | None:
    things = alone(scene)
    return colour_of(random.choice(things), language, random) if things else None


def count_of(scene: Scene, kind: str, language: Language, random: Random, template: str = "count") -> Question:
    """Ask how many things of a kind there are."""
    slots = _slots(kind, language, random)
    return _ask("count", language, str(len(scene.of(kind))), random, template, **slots)


def _count(scene: Scene, language: Language, random: Random) -> Question:
    present = random.random() < 0.8
    kind = random.choice(scene.things).kind if present else _absent(scene, random)
    return count_of(scene, kind, language, random)


def where_is(thing: Thing, language: Language, random: Random, template: str = "where") -> Question:
    """Ask on which side a thing is."""
    slots = _slots(thing.kind, language, random)
    return _ask("where", language, name("place", thing.place, language), random, template, **slots)


def _where(scene: Scene, language: Language, random: Random) -> Question | None:
    things = alone(scene)
    return where_is(random.choice(things), language, random) if things else None


def _neighbours(scene: Scene, thing: Thing) -> Iterator[tuple[str, Thing]]:
    """Each direction in which there is exactly one thing: beside it in its row, above or below it in its column."""
    row = [other for other in scene.things if other.sky == thing.sky]
    for direction, others in (
        ("left", [other for other in row if other.column < thing.column]),
        ("right", [other for other in row if other.column > thing.column]),
    ):
        if len(others) == 1:
            yield direction, others[0]
    for other in scene.things:
        if other.column == thing.column and other.sky != thing.sky:
            yield "below" if thing.sky else "above", other


def _relation(scene: Scene, language: Language, random: Random) -> Question | None:
    found = related(scene, language, random)
    return found[0] if found else None


def related(scene: Scene, language: Language, random: Random) -> tuple[Question, Thing] | None:
    """Ask what is beside, above or below a thing; return the question and the thing that is its answer."""
    pairs = [(thing, *found) for thing in alone(scene) for found in _neighbours(scene, thing)]
    if not pairs:
        return None
    thing, direction, other = random.choice(pairs)
    answer = name("kind", other.kind, language)
    slots = _slots(thing.kind, language, random)
    return _ask("relation", language, answer, random, f"relation_{direction}", **slots), other


def _yes_no(scene: Scene, language: Language, random: Random) -> Question:
    truth = random.random() < 0.5
    thing = random.choice(scene.things)
    if not truth:
        colours = [colour for colour in words()["colour"] if not _has(scene, thing.kind, colour)]
        other = replace(thing, colour=random.choice(colours))
        thing = other if random.random() < 0.6 else replace(thing, kind=_absent(scene, random))
    phrase = describe(thing, language, random)
    return _ask("yes_no", language, YES_NO[language][truth], random, thing=phrase, a_thing=with_article(phrase))


def _has(scene: Scene, kind: str, colour: str) -> bool:
    return any(thing.colour == colour for thing in scene.of(kind))


def _aspect(kind: Kind) -> Callable[[Scene, Language, Random], Question]:
    def ask(scene: Scene, language: Language, random: Random) -> Question:
        return _ask(kind, language, name(kind, getattr(scene, kind), language), random)

    return ask


def _missing(scene: Scene, language: Language, random: Random) -> Question:
    return missing(_absent(scene, random), language, random, random.choice(("colour", "where")))


def missing(kind: str, language: Language, random: Random, template: str) -> Question:
    """Ask about a kind of thing that the picture does not hold."""
    noun = name("kind", kind, language)
    answer = f"There is no {noun}." if language == "en" else f"图里没有{noun}。"
    return _ask("absent", language, answer, random, template, **_slots(kind, language, random))


ASK: dict[Kind, Callable[[Scene, Language, Random], Question | None]] = {
    "what": _what, "colour": _colour, "count": _count, "where": _where, "relation": _relation, "yes_no": _yes_no,
    "time": _aspect("time"), "weather": _aspect("weather"), "ground": _aspect("ground"), "style": _aspect("style"),
    "absent": _missing,
}  # fmt: skip


def questions(scene: Scene, language: Language, random: Random, count: int) -> list[Question]:
    """Return up to `count` questions of different kinds about a scene, in random order."""
    kinds = random.sample(tuple(ASK), len(ASK))
    asked = (ASK[kind](scene, language, random) for kind in kinds)
    return [question for question in asked if question][:count]


def captioned(scene: Scene, language: Language, random: Random) -> Question:
    """Ask for the caption."""
    return _ask("caption", language, caption(scene, language), random)


def describe(thing: Thing, language: Language, random: Random | None = None) -> str:
    """Return a thing's colour and name: `red sports car`, `红色的跑车`."""
    noun = name("kind", thing.kind, language, random)
    colour = name("colour", thing.colour, language, random)
    return f"{colour} {noun}" if language == "en" else f"{colour}的{noun}"


def caption(scene: Scene, language: Language, random: Random | None = None) -> str:
    """Return a sentence that says all of a scene: style, time, weather, ground, each thing with colour, size and place.

    With `random` synonyms are used and the order of the things changes.
    """
    things = list(scene.things)
    if random:
        random.shuffle(things)
    parts = [_part(thing, language, random) for thing in things]
    values = {aspect: name(aspect, getattr(scene, aspect), language, random) for aspect in ("style", "weather")}
    at = words()["time"][scene.time]["at"][language]
    on = words()["ground"][scene.ground]["on"][language]
    if language == "en":
        listed = ", ".join(parts[:-1]) + (" and " if parts[1:] else "") + parts[-1]
        return f"{values['style']}: {listed}, {on} {at}, {values['weather']} weather".capitalize()
    return f"{values['style']}：{at}，{values['weather']}，{on}，{'，'.join(parts)}"


def _part(thing: Thing, language: Language, random: Random | None) -> str:
    size, place = (name(aspect, getattr(thing, aspect), language, random) for aspect in ("size", "place"))
    if language == "en":
        return f"{with_article(size)} {describe(thing, language, random)} {place}"
    return f"{place}有一{words()['kind'][thing.kind]['measure']}{size}的{describe(thing, language, random)}"


def wrong_caption(scene: Scene, language: Language, random: Random) -> str:
    """Return the caption of a scene that differs in one thing's colour or kind, or in the time: untrue of this one."""
    if random.random() < 0.3:
        times = [time for time in words()["time"] if time != scene.time]
        return caption(replace(scene, time=random.choice(times)), language, random)
    index = random.randrange(len(scene.things))
    thing = scene.things[index]
    colours = [colour for colour in words()["colour"] if colour != thing.colour]
    kinds = [kind for kind in words()["kind"] if kind != thing.kind and (kind in SKY_KINDS) == thing.sky]
    other_colour = replace(thing, colour=random.choice(colours))
    changed = random.choice((other_colour, replace(thing, kind=random.choice(kinds))))
    return caption(
        replace(scene, things=(*scene.things[:index], changed, *scene.things[index + 1 :])), language, random
    )
