"""Scenes are seeded, endless and apart; what is said and asked of them is true."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.messages import Language
from kuamo.world.language import ASK, caption, questions, wrong_caption
from kuamo.world.picture import STYLES, render, shapes
from kuamo.world.scene import HELD_OUT_PAIRS, Scene, Split, Thing, make_scene, words

LANGUAGES: tuple[Language, ...] = ("en", "zh")
indices = st.integers(0, 10**9)
splits = st.sampled_from(["train", "held_out", "combinations"])


def pairs(scene: Scene) -> set[tuple[str, str]]:
    return {(thing.colour, thing.kind) for thing in scene.things}


@given(indices, splits)
def test_a_scene_comes_again_by_its_index(index: int, split: Split) -> None:
    scene = make_scene(index, split)
    assert scene == make_scene(index, split)
    assert 1 <= len(scene.things) <= 4
    assert len({(thing.column, thing.sky) for thing in scene.things}) == len(scene.things)


@given(indices)
def test_held_out_combinations_are_in_their_split_and_no_other(index: int) -> None:
    assert not pairs(make_scene(index, "train")) & HELD_OUT_PAIRS
    assert not pairs(make_scene(index, "held_out")) & HELD_OUT_PAIRS
    assert pairs(make_scene(index, "combinations")) & HELD_OUT_PAIRS


def test_splits_share_no_scene() -> None:
    def contents(split: Split, count: int) -> set[str]:
        scenes = (make_scene(index, split) for index in range(count))
        return {repr((scene.time, scene.weather, scene.ground, scene.style, scene.things)) for scene in scenes}

    assert not contents("train", 4_000) & contents("held_out", 4_000)


def test_every_value_of_every_aspect_appears() -> None:
    scenes = [make_scene(index) for index in range(600)]
    for aspect in ("time", "weather", "ground", "style"):
        assert {getattr(scene, aspect) for scene in scenes} == set(words()[aspect])
    things = [thing for scene in scenes for thing in scene.things]
    assert {thing.kind for thing in things} == set(words()["kind"]) == set(shapes())
    assert len(words()["kind"]) >= 16
    assert set(words()["style"]) == set(STYLES)


def test_pictures_come_again_and_show_what_changes() -> None:
    scene = make_scene(3)
    again = np.asarray(render(scene))
    assert again.shape == (64, 64, 3)
    assert (np.asarray(render(scene)) == again).all()
    assert render(scene, 128).size == (128, 128)
    for index in range(20):
        scene = make_scene(index)
        bare = Scene(scene.time, scene.weather, scene.ground, scene.style, (), scene.seed)
        assert (np.asarray(render(bare)) != np.asarray(render(scene))).any()


GARDEN = Scene(
    "evening",
    "rain",
    "field",
    "oil",
    (
        Thing("cloud", "white", "large", 0, True),
        Thing("cloud", "grey", "small", 1, True),
        Thing("house", "red", "large", 1, False),
        Thing("cat", "orange", "small", 0, False),
    ),
    seed=1,
)


@pytest.mark.parametrize(
    ("kind", "language", "answers"),
    [
        ("colour", "en", {"red", "orange"}),
        ("colour", "zh", {"红色", "橙色"}),
        ("count", "en", {"0", "1", "2"}),
        ("where", "zh", {"左边", "中间"}),
        ("what", "en", {"cloud", "house", "cat"}),
        ("relation", "en", {"cat", "house", "cloud"}),
        ("yes_no", "zh", {"有", "没有"}),
        ("time", "en", {"evening"}),
        ("weather", "zh", {"下雨"}),
        ("ground", "en", {"field"}),
        ("style", "zh", {"油画"}),
    ],
)
def test_answers_are_true_of_a_known_scene(kind: str, language: Language, answers: set[str]) -> None:
    asked = [ASK[kind](GARDEN, language, Random(seed)) for seed in range(60)]
    assert {question.answer for question in asked if question} == answers


def test_relations_are_what_the_columns_say() -> None:
    asked = [ASK["relation"](GARDEN, "en", Random(seed)) for seed in range(200)]
    found = {(question.question, question.answer) for question in asked if question}
    assert ("What is left of the house?", "cat") in found
    assert ("What is right of the cat?", "house") in found
    assert ("What is above the house?", "cloud") in found


def test_a_thing_that_is_not_there_is_told() -> None:
    for seed in range(40):
        question = ASK["absent"](GARDEN, "zh", Random(seed))
        assert question is not None
        assert question.answer.startswith("图里没有")
        assert not any(noun in question.answer for noun in ("云", "房子", "猫"))


def test_yes_and_no_are_about_as_frequent() -> None:
    answers = Counter(
        question.answer for index in range(400) if (question := ASK["yes_no"](make_scene(index), "en", Random(index)))
    )
    assert set(answers) == {"yes", "no"}
    assert 0.4 < answers["yes"] / 400 < 0.6


@given(indices, splits, st.sampled_from(LANGUAGES), st.integers(0, 1000))
def test_questions_are_of_different_kinds_and_filled_in(
    index: int, split: Split, language: Language, seed: int
) -> None:
    asked = questions(make_scene(index, split), language, Random(seed), 5)
    assert len({question.kind for question in asked}) == len(asked) == 5
    for question in asked:
        assert question.answer
        assert "{" not in question.question + question.answer
        assert all(ord(letter) < 128 for letter in question.question) == (language == "en")


@given(indices, st.integers(0, 1000))
def test_a_wrong_caption_says_something_else(index: int, seed: int) -> None:
    """Synonyms aside: the sentence without them differs from the true one in a thing, a colour or the time."""
    scene = make_scene(index)
    assert caption(scene, "zh") == caption(scene, "zh")
    assert wrong_caption(scene, "en", Random(seed)) != caption(scene, "en")
