"""Prompts say what is true of a scene, leave out the rest, and name every thing."""

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kuamo.messages import Language
from kuamo.world.prompt import Prompt, prompt
from kuamo.world.scene import Scene, make_scene, words
from kuamo.world.tables import read_table

LANGUAGES: tuple[Language, ...] = ("en", "zh")
indices, languages = st.integers(0, 10**9), st.sampled_from(LANGUAGES)


def names(aspect: str, value: str, language: Language) -> list[str]:
    """What a value is called; in Chinese a colour's last character may be left out."""
    called: list[str] = words()[aspect][value][language]
    return [name.removesuffix("色") for name in called]


def asked(index: int, language: Language) -> tuple[Scene, Prompt]:
    scene = make_scene(index)
    return scene, prompt(scene, language, Random(index))


@given(indices, languages)
def test_what_it_says_is_true(index: int, language: Language) -> None:
    scene, one = asked(index, language)
    for aspect in ("ground", "time", "weather", "style"):
        assert getattr(one.said, aspect) in ("", getattr(scene, aspect))
    colours = {thing.colour for thing in one.said.things} - {""}
    assert colours <= {thing.colour for thing in scene.things}
    kinds = Counter((thing.kind, thing.column, thing.sky) for thing in scene.things)
    assert Counter((thing.kind, thing.column, thing.sky) for thing in one.said.things) == kinds


@given(indices, languages)
def test_it_names_every_thing_and_colour_that_it_says(index: int, language: Language) -> None:
    _, one = asked(index, language)
    for thing in one.said.things:
        assert any(name in one.text for name in names("kind", thing.kind, language))
        if thing.colour:
            assert any(name in one.text for name in names("colour", thing.colour, language))
        if one.placed:
            assert names("place", thing.place, language)[0] in one.text


@given(indices, languages)
def test_it_says_what_is_around_the_things_or_not(index: int, language: Language) -> None:
    _, one = asked(index, language)
    for aspect in ("ground", "time", "weather"):
        lines = read_table("prompts")[aspect]
        value = getattr(one.said, aspect)
        if value:
            assert any(line in one.text for line in lines[value][language])
        elif language == "en":
            assert not any(line in one.text for table in lines.values() for line in table["en"])


def test_things_alike_are_counted() -> None:
    scene = make_scene(0)
    thing = replace(scene.things[0], kind="cat", colour="red", size="small")
    two = replace(scene, things=(replace(thing, column=0), replace(thing, column=2)))
    texts = {
        language: " ".join(prompt(two, language, Random(seed)).text for seed in range(60)) for language in LANGUAGES
    }
    assert "two red cats" in texts["en"]
    assert "两只红猫" in texts["zh"]


@given(indices, languages)
def test_it_comes_again(index: int, language: Language) -> None:
    assert asked(index, language)[1] == asked(index, language)[1]


def test_ordinary_prompts_come_up() -> None:
    texts = {
        prompt(make_scene(index), language, Random(index)).text for index in range(2_000) for language in LANGUAGES
    }
    short = [text for text in texts if len(text) < 10]
    assert len(short) > 10
    assert any(text.startswith("an oil painting of ") for text in texts)
    assert any(text.endswith("，水彩") for text in texts)
