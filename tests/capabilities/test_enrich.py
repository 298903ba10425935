"""Prompts get the words for a style and a quality, once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.capabilities.enrich import QUALITIES, STYLES, enrich, style_named
from kuamo.errors import KuamoError
from kuamo.media.text import is_chinese
from kuamo.world.tables import read_table

LINES = [line for scene in read_table("prompts")["picture"].values() for lines in scene.values() for line in lines]
PROMPTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(["a red car", "雪地里的猫", "high quality", "高清", *LINES, "oil painting", "水彩"]), max_size=5
    ).map(", ".join),
)
CHOICES = {"style": st.sampled_from(["", *STYLES]), "quality": st.sampled_from(list(QUALITIES))}


@pytest.mark.parametrize(
    ("prompt", "style", "quality", "enriched"),
    [
        ("a red car", "photo", "standard", "a red car, photorealistic"),
        ("a red car.", "oil", "high", "a red car, oil painting, high quality"),
        ("a red car", "cartoon", "best", "a red car, cartoon, best quality, highly detailed, masterpiece"),
        ("a red car", "watercolour", "standard", "a red car, watercolour"),
        ("雪地里的红车", "sketch", "high", "雪地里的红车，素描，高质量"),
        ("雪地里的红车。", "photo", "best", "雪地里的红车，写实，高清，细节丰富，杰作"),
        ("一只猫", "油画", "standard", "一只猫，油画"),
        ("a cat", "Oil painting", "standard", "a cat, oil painting"),
        ("a cat.", "", "standard", "a cat."),
        ("  ", "oil", "best", "  "),
        ("", "oil", "best", ""),
    ],
)
def test_style_and_quality_are_named_in_the_prompts_own_language(
    prompt: str, style: str, quality: str, enriched: str
) -> None:
    assert enrich(prompt, style, quality) == enriched


@pytest.mark.parametrize(
    ("prompt", "style"),
    [
        ("an oil painting of a cat", "oil"),
        ("A Photo of a cat", "photo"),
        ("一幅水彩画，一只猫", "watercolour"),
        ("cat, pencil sketch", "sketch"),
        ("一只猫，oil painting", "oil"),
    ],
)
def test_a_style_that_is_named_already_is_not_named_again(prompt: str, style: str) -> None:
    assert enrich(prompt, style, "standard") == prompt
    assert enrich(prompt, style, "high").startswith(prompt)


def test_a_word_that_only_holds_a_styles_name_is_none() -> None:
    assert enrich("photosynthesis", "photo", "standard") == "photosynthesis, photorealistic"


def test_another_choice_takes_the_place_of_the_one_before() -> None:
    once = enrich("a red car, shiny", "oil", "high")
    assert enrich(once, "cartoon", "best") == enrich("a red car, shiny", "cartoon", "best")
    assert enrich(once, "", "best") == enrich("a red car, shiny", "oil", "best")
    assert enrich(once, "cartoon", "standard") == enrich("a red car, shiny", "cartoon", "high")


@given(PROMPTS, CHOICES["style"], CHOICES["quality"])
def test_twice_is_once(prompt: str, style: str, quality: str) -> None:
    once = enrich(prompt, style, quality)
    assert enrich(once, style, quality) == once
    assert is_chinese(once) == is_chinese(prompt)


def test_what_is_added_is_what_the_small_world_says() -> None:
    said = [line.strip(", ，") for lines in read_table("prompts")["quality"].values() for line in lines]
    assert {word for words in QUALITIES.values() for added in words.values() for word in added} == set(said)
    assert set(STYLES) == {"photo", "oil", "cartoon", "watercolour", "sketch"}


def test_what_is_no_style_or_quality_is_told_with_the_choices() -> None:
    for attempt in (lambda: style_named("cubism"), lambda: enrich("a cat", "oil", "perfect")):
        with pytest.raises(KuamoError) as caught:
            attempt()
        assert caught.value.code == "not_one_of"
    assert "best" in str(caught.value)
