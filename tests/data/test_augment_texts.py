"""Left and right follow the mirror or forbid it; synonyms keep the sense; chance is a row's own."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.data.augment.chance import chance
from kuamo.data.augment.mirror import mirror_text, mirror_texts
from kuamo.data.augment.synonyms import own_table, replace_synonyms

MIRRORED = [
    ("A dog on the left of a cat.", "A dog on the right of a cat."),
    ("A dog on the left, a cat on the right.", "A dog on the right, a cat on the left."),
    ("The tree in the upper left corner", "The tree in the upper right corner"),
    ("A woman raises her right hand.", "A woman raises her left hand."),
    ("The car is turning left.", "The car is turning right."),
    ("The leftmost balloon is red", "The rightmost balloon is red"),
    ("From left to right: a cat, a dog", "From right to left: a cat, a dog"),
    ("LEFT: a boat. RIGHT: a house.", "RIGHT: a boat. LEFT: a house."),
    ("Left.", "Right."),
    ("on the right side", "on the left side"),
    ("He will be all right, on the left.", "He will be all right, on the right."),
    ("A cat sits right next to a dog.", "A cat sits right next to a dog."),
    ("A bright copyright lefty.", "A bright copyright lefty."),
    ("猫在狗的左边。", "猫在狗的右边。"),
    ("左上角有一朵云，右下角有一只猫", "右上角有一朵云，左下角有一只猫"),
    ("一个三十岁左右的人站在右侧", "一个三十岁左右的人站在左侧"),
    ("右手拿着左传", "左手拿着左传"),
    ("A plain sentence.", "A plain sentence."),
]
FORBIDDEN = [
    "The sign on the left says stop",
    "What is written on the board?",
    "A shirt with the number 10",
    'A poster: "Welcome"',
    "This is the right one.",
    "Is that right?",
    "The train left the station.",
    "A clock above the door on the left",
    "招牌上写着什么？",
    "左边的牌子上有“出口”字样",
    "胸片左侧有一个结节",
    "A nodule in the left lung",
    "The map of the town",
]


@pytest.mark.parametrize(("text", "mirrored"), MIRRORED)
def test_left_and_right_are_mended(text: str, mirrored: str) -> None:
    assert mirror_text(text) == mirrored
    assert mirror_text(mirrored) == text


@pytest.mark.parametrize("text", FORBIDDEN)
def test_some_texts_forbid_the_mirror(text: str) -> None:
    assert mirror_text(text) is None


WORD = "the a on to in of at and left right Left leftmost right-hand side corner next dog is away now all up way . , :"
WORDS = st.sampled_from(WORD.split())
CHARACTERS = st.sampled_from("左右边侧上下的猫狗在手座铭邻舍思想")


@given(st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(CHARACTERS, max_size=12), st.text(max_size=20)))
def test_mirroring_twice_gives_the_text_again(text: str) -> None:
    mirrored = mirror_text(text)
    if mirrored is not None:
        assert mirror_text(mirrored) == text
        assert re.sub("left|right|左|右", "", mirrored, flags=re.IGNORECASE) == re.sub(
            "left|right|左|右", "", text, flags=re.IGNORECASE
        )


def test_one_text_that_forbids_it_forbids_it_for_all() -> None:
    assert mirror_texts(["What is on the left?", "A dog."]) == ["What is on the right?", "A dog."]
    assert mirror_texts(["What is on the left?", "A sign."]) is None


def all_replaced(text: str) -> str:
    return replace_synonyms(text, np.random.default_rng(0), share=1)[0]


@pytest.mark.parametrize(
    ("text", "reworded"),
    [
        ("A big sofa", "A large couch"),
        ("The bicycle is near-by, beside a shop.", "The bike is near-by, next to a store."),
        ("An automobile and a huge dog", "A car and an enormous dog"),
        ("He likes a big brother", "He likes a big brother"),
        ('a film called "a big film"', 'a movie called "a big film"'),
        ("<image> Describe the photograph beneath", None),
        ("小猫旁边有一台照相机", "猫咪一旁有一台照相机"),
        ("傍晚的马路", "黄昏的道路"),
    ],
)
def test_synonyms(text: str, reworded: str | None) -> None:
    made = all_replaced(text)
    assert made == reworded if reworded else made.startswith("<image> ")


def test_what_was_replaced_is_told_and_the_share_is_kept() -> None:
    text = " ".join(["big"] * 2_000)
    made, replaced = replace_synonyms(text, np.random.default_rng(0), share=0.3)
    assert len(replaced) == made.count("large") == pytest.approx(600, rel=0.1)
    assert set(replaced) == {("big", "large")}
    assert replace_synonyms(text, np.random.default_rng(0), share=0) == (text, [])


def test_an_own_table_adds_words() -> None:
    random = np.random.default_rng(0)
    assert replace_synonyms("a nodule", random, 1, {"nodule": ["opacity"]})[0] == "an opacity"


@pytest.mark.parametrize("text", ["三十分钟", "公交车站在左边", "火车站", "也许多云", "马上面对", "楼下面馆"])
def test_words_across_words_are_left_alone(text: str) -> None:
    assert "站在" not in own_table()
    made = all_replaced(text)
    assert made == text or made.endswith("站在左边")


def test_no_synonym_speaks_of_left_and_right_or_an_article() -> None:
    table = own_table()
    assert len(table) > 100
    for word, others in table.items():
        assert others
        assert word not in others
        assert not re.search("left|right|左|右", " ".join((word, *others)))
        assert all(other.isascii() == word.isascii() for other in others)


def test_chance_is_a_rows_own() -> None:
    first = chance(42, "row", 1).random(4)
    np.testing.assert_array_equal(first, chance(42, "row", 1).random(4))
    others = [chance(43, "row", 1), chance(42, "row 2", 1), chance(42, "row", 2)]
    assert all(other.random() != first[0] for other in others)
