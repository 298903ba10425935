"""Several turns about one picture: questions that stand alone, and questions that only the turn before explains."""

from random import Random

from kuamo.messages import Language
from kuamo.world.language import (
    ASK,
    Question,
    alone,
    captioned,
    colour_of,
    count_of,
    missing,
    related,
    where_is,
)
from kuamo.world.scene import Scene, words


def conversation(scene: Scene, language: Language, random: Random, turns: int) -> list[Question]:
    """Return at least `turns` questions about a scene, in the order they are asked, with the truth as each answer.

    A third refer to the turn before: "And the boat?", "What colour is it?". Half of the conversations ask for the
    caption, most of them at the end.
    """
    asked: list[Question] = []
    while len(asked) < turns:
        ask = random.choice((_one, _one, _one, _and_another, _of_it))
        asked += ask(scene, language, random)
    if random.random() < 0.5:
        asked.insert(0 if random.random() < 0.2 else len(asked), captioned(scene, language, random))
    return asked


def _one(scene: Scene, language: Language, random: Random) -> list[Question]:
    question = ASK[random.choice(tuple(ASK))](scene, language, random)
    return [question] if question else []


def _and_another(scene: Scene, language: Language, random: Random) -> list[Question]:
    """The same asked of two things, the second time in few words; the second may not be there."""
    things = {thing.kind: thing for thing in alone(scene)}
    kinds = random.sample(tuple(words()["kind"]), 4)
    if random.random() < 0.4:
        present = (thing.kind for thing in scene.things)
        first, second = random.sample(tuple(dict.fromkeys((*present, *kinds))), 2)
        return [count_of(scene, first, language, random), count_of(scene, second, language, random, "and_count")]
    if not things:
        return []
    ask = random.choice((colour_of, where_is))
    first = random.choice(sorted(things))
    second = random.choice([kind for kind in (*things, *kinds[:2]) if kind != first])
    if second in things:
        return [ask(things[first], language, random), ask(things[second], language, random, "and_the")]
    if scene.of(second):
        return []
    return [ask(things[first], language, random), missing(second, language, random, "and_the")]


def _of_it(scene: Scene, language: Language, random: Random) -> list[Question]:
    """A thing found by one question, then asked about as "it"."""
    things = alone(scene)
    if random.random() < 0.5 and (found := related(scene, language, random)):
        question, thing = found
        ask, template = random.choice(((colour_of, "it_colour"), (where_is, "it_where")))
        return [question, ask(thing, language, random, template)]
    if not things:
        return []
    thing = random.choice(things)
    if random.random() < 0.5:
        return [colour_of(thing, language, random), where_is(thing, language, random, "it_where")]
    return [where_is(thing, language, random), colour_of(thing, language, random, "it_colour")]
