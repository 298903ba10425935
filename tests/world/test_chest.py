"""Chest slices are seeded, endless and apart; what is said of them is true and can be measured in the picture."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kuamo.messages import Language
from kuamo.world.chest import (
    ANSWERS,
    HELD_OUT_TRIPLES,
    SIZES_MM,
    VIEW_MM,
    Chest,
    Nodule,
    anatomy,
    chest_words,
    findings,
    make_chest,
    questions,
)
from kuamo.world.chest_picture import grey, render
from kuamo.world.scene import Split

LANGUAGES: tuple[Language, ...] = ("en", "zh")
indices = st.integers(0, 10**9)
splits = st.sampled_from(["train", "held_out", "combinations"])
SPICULATED = Chest("upper", Nodule("right_upper", "spiculated", 10, -46.0, 2.0), seed=1)
CLEAR = Chest("lower", None, seed=1)


def triple(chest: Chest) -> tuple[str, str, int] | None:
    return chest.nodule and (chest.nodule.lobe, chest.nodule.border, chest.nodule.size_mm)


def solidity(chest: Chest, side: int = 64) -> NDArray[np.float32]:
    """How much of each pixel is solid: 0 for lung, 1 for nodule."""
    lung, nodule = grey("lung"), grey("nodule")
    return (np.asarray(render(chest, side))[:, :, 0].astype(np.float32) - lung) / (nodule - lung)


def distance_mm(nodule: Nodule, side: int = 64) -> NDArray[np.float32]:
    """How far each pixel's middle lies from the nodule's."""
    down, right = (np.mgrid[:side, :side] + 0.5) * (VIEW_MM / side) - VIEW_MM / 2
    return np.hypot(right - nodule.x_mm, down - nodule.y_mm)


def with_nodules(count: int, split: Split) -> Iterator[tuple[Chest, Nodule]]:
    for index in range(count):
        chest = make_chest(index, split)
        if chest.nodule:
            yield chest, chest.nodule


@given(indices, splits)
def test_a_slice_comes_again_by_its_index_with_its_nodule_where_its_lobe_is(index: int, split: Split) -> None:
    chest = make_chest(index, split)
    assert chest == make_chest(index, split)
    if nodule := chest.nodule:
        assert nodule.lobe in anatomy()["region"][chest.level]
        assert nodule.size_mm in SIZES_MM
        assert (nodule.x_mm < 0) == nodule.lobe.startswith("right"), "the patient's right is on the picture's left"
        assert abs(nodule.x_mm) + nodule.reach_mm < VIEW_MM / 2


@given(indices)
def test_held_out_combinations_are_in_their_split_and_no_other(index: int) -> None:
    assert triple(make_chest(index, "train")) not in HELD_OUT_TRIPLES
    assert triple(make_chest(index, "held_out")) not in HELD_OUT_TRIPLES
    assert triple(make_chest(index, "combinations")) in HELD_OUT_TRIPLES


def test_splits_and_seeds_share_no_slice() -> None:
    drawn = [
        {make_chest(index, split, seed) for index in range(2_000)}
        for split, seed in (("train", 0), ("held_out", 0), ("combinations", 0), ("train", 1))
    ]
    assert len(set.union(*drawn)) == 8_000


def test_all_else_is_in_training_a_third_of_it_clear() -> None:
    seen = Counter(triple(make_chest(index)) for index in range(3_000))
    assert 0.3 < seen.pop(None) / 3_000 < 0.37
    every = {
        (lobe, border, size)
        for lobe in chest_words()["lobe"]
        for border in chest_words()["border"]
        for size in SIZES_MM
    }
    assert set(seen) == every - HELD_OUT_TRIPLES
    assert len(seen) == 32
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert {(t[first], t[second]) for t in seen if t} == {(t[first], t[second]) for t in every}


@pytest.mark.parametrize("side", [64, 256])
def test_pictures_come_again_are_grey_and_show_the_nodule(side: int) -> None:
    picture = np.asarray(render(SPICULATED, side))
    assert picture.shape == (side, side, 3)
    assert (picture == picture[:, :, :1]).all()
    assert (picture == np.asarray(render(SPICULATED, side))).all()
    assert SPICULATED.nodule is not None
    inside = distance_mm(SPICULATED.nodule, side) < 3
    bare = Chest(SPICULATED.level, None, SPICULATED.seed)
    assert solidity(SPICULATED, side)[inside].mean() > 0.9
    assert solidity(bare, side)[inside].mean() < 0.5


def test_the_size_can_be_measured() -> None:
    """By the diameter of a disc of as many pixels as are over half solid, a little more than the true one."""
    right = []
    for split in ("train", "combinations"):
        for chest, nodule in with_nodules(150, split):
            pixels = (solidity(chest)[distance_mm(nodule) < nodule.reach_mm] > 0.5).sum()
            measured = 2 * np.sqrt(pixels / np.pi) * VIEW_MM / 64
            right.append(min(SIZES_MM, key=lambda size: abs(size * 1.05 + 0.7 - measured)) == nodule.size_mm)
    assert len(right) > 200
    assert np.mean(right) >= 0.98


def test_the_border_can_be_measured_at_every_size() -> None:
    """How solid the ring is that spicules cross and a smooth border leaves to the lung."""
    rings: dict[tuple[str, int], list[float]] = {}
    for split in ("train", "combinations"):
        for chest, nodule in with_nodules(150, split):
            radius, distance = nodule.size_mm / 2, distance_mm(nodule)
            ring = (distance > radius + 0.7) & (distance < radius + 0.75 * (nodule.reach_mm - radius))
            rings.setdefault((nodule.border, nodule.size_mm), []).append(float(solidity(chest)[ring].mean()))
    for size in SIZES_MM:
        smooth, spiculated = rings["smooth", size], rings["spiculated", size]
        assert min(len(smooth), len(spiculated)) > 10
        assert np.mean([value < 0.155 for value in smooth] + [value > 0.155 for value in spiculated]) >= 0.95, size


def test_the_middle_of_a_lobe_is_lung_where_there_is_no_nodule() -> None:
    clear = [chest for chest in map(make_chest, range(90)) if not chest.nodule]
    assert len(clear) > 20
    for chest in clear:
        for x, y, *_ in anatomy()["region"][chest.level].values():
            spot = Nodule("", "smooth", SIZES_MM[0], x, y)
            assert solidity(chest)[distance_mm(spot) < 3].mean() < 0.75


def test_the_level_shows_the_lobes() -> None:
    """Air in the middle only above, a large heart and the liver only below."""
    for seed in range(20):
        upper, middle, lower = (solidity(Chest(level, None, seed)) for level in ("upper", "middle", "lower"))
        assert upper[31:37, 30:34].min() < -0.05
        assert lower[31:37, 30:34].min() > 0.3
        assert lower[16:32, 10:54].mean() > middle[16:32, 10:54].mean() > upper[16:32, 10:54].mean()


@pytest.mark.parametrize(
    ("language", "answers"),
    [
        ("en", {"lobe": {"right upper lobe"}, "size": {"10 mm"}, "border": {"spiculated"}, "yes_no": {"yes", "no"}}),
        ("zh", {"lobe": {"右上叶"}, "size": {"10毫米"}, "border": {"毛刺状"}, "yes_no": {"有", "没有"}}),
    ],
)
def test_answers_are_true_of_a_known_slice(language: Language, answers: dict[str, set[str]]) -> None:
    asked = [question for seed in range(80) for question in questions(SPICULATED, language, Random(seed), 9)]
    assert {kind: {q.answer for q in asked if q.kind == kind} for kind in answers} == answers
    yes, no = ("yes", "no") if language == "en" else ("有", "没有")
    for question in asked:
        if question.kind == "yes_no":
            lobes = [lobe for lobe, names in chest_words()["lobe"].items() if names[language][0] in question.question]
            lobes += [lobe for lobe, names in chest_words()["lobe"].items() if names[language][-1] in question.question]
            assert question.answer == (yes if set(lobes) <= {"right_upper"} else no), question


def test_of_a_clear_slice_it_is_said_that_there_is_none() -> None:
    for language, no, none in (("en", "no", "No nodule is seen."), ("zh", "没有", "未见结节。")):
        asked = [question for seed in range(40) for question in questions(CLEAR, language, Random(seed), 9)]
        assert {(question.kind, question.answer) for question in asked} == {("yes_no", no), ("absent", none)}
        assert findings(CLEAR, language) == none


def test_findings_are_a_short_report() -> None:
    assert findings(SPICULATED, "en") == "A 10 mm spiculated nodule in the right upper lobe."
    assert findings(SPICULATED, "zh") == "右上叶见一枚10毫米毛刺状结节。"
    for language in LANGUAGES:
        said = {findings(SPICULATED, language, Random(seed)) for seed in range(60)}
        assert len(said) >= 3
        assert all("10" in sentence for sentence in said)


def test_yes_and_no_are_about_as_frequent() -> None:
    asked = (question for i in range(600) for question in questions(make_chest(i), "en", Random(i), 9))
    answers = Counter(question.answer for question in asked if question.kind == "yes_no")
    assert set(answers) == {"yes", "no"}
    assert 0.43 < answers["yes"] / 600 < 0.57


@given(indices, splits, st.sampled_from(LANGUAGES), st.integers(0, 1000))
def test_questions_are_of_different_kinds_and_filled_in(
    index: int, split: Split, language: Language, seed: int
) -> None:
    chest = make_chest(index, split)
    asked = questions(chest, language, Random(seed), 6)
    assert {question.kind for question in asked} == {"yes_no", *(ANSWERS if chest.nodule else ["absent"])}
    assert len(questions(chest, language, Random(seed), 1)) == 1
    for question in asked:
        assert question.answer
        assert "{" not in question.question + question.answer
        assert all(ord(letter) < 128 for letter in question.question) == (language == "en")


def test_every_question_has_several_wordings_in_both_languages() -> None:
    for kind, wordings in chest_words()["question"].items():
        assert all(len(set(wordings[language])) >= 4 for language in LANGUAGES), kind
