"""Texts are cleaned, and tokenized as the model's own tokenizer does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.data.features.text import TextFeatures, clean
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits

LIMITS = Limits()
TEXTS = ["A red car.", "一只黑猫坐在绿色的田野上。", "word " * 200]


@pytest.mark.parametrize(
    ("raw", "clean_text"),
    [
        ("  A  <b>red</b>\tcar &amp; a\u00a0dog\n", "A red car & a dog"),
        ("So cute 😀!!", "So cute !!"),
        ("ＡＢＣ１２３，全角", "ABC123，全角"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("家庭👨‍👩‍👧照片", "家庭 照片"),
        ("cafe\u0301 no\u200bbreak", "café no break"),
    ],
)
def test_cleaning(raw: str, clean_text: str) -> None:
    assert clean(raw, LIMITS) == clean_text


def test_cleaning_keeps_what_it_is_told_to() -> None:
    assert clean("So cute 😀", LIMITS, special=True) == "So cute 😀"
    assert clean("A Red Car", LIMITS, case="lower") == "a red car"
    assert clean("A Red Car", LIMITS, case="upper") == "A RED CAR"
    with pytest.raises(KuamoError, match="no text"):
        clean("<br> \u200b", LIMITS)


@given(st.text(min_size=1, max_size=60))
def test_cleaning_twice_changes_no_more(text: str) -> None:
    try:
        once = clean(text, LIMITS)
    except KuamoError:
        return
    assert "  " not in once
    assert once == once.strip()
    try:
        assert clean(once, LIMITS, special=True).count(" ") <= once.count(" ") + once.count("<") + once.count("&")
    except KuamoError:
        assert "<" in once or "&" in once


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_tokens_are_the_tokenizers_own(checkpoint: Callable[[str], Path], name: str) -> None:
    from transformers import AutoTokenizer

    folder = str(checkpoint(name))
    features = TextFeatures.load(folder)
    tokens = features.of(TEXTS)
    length = {"clip": 77, "siglip": 16}[name]
    own = AutoTokenizer.from_pretrained(folder)(
        TEXTS, padding="max_length", truncation=True, max_length=length, return_attention_mask=True
    )
    assert features.longest == length
    assert tokens.input_ids.shape == tokens.attention_mask.shape == (3, length)
    assert tokens.input_ids.dtype == tokens.attention_mask.dtype == np.int64
    assert tokens.input_ids.tolist() == own["input_ids"]
    assert tokens.attention_mask.tolist() == own["attention_mask"]
    assert tokens.cut[2]
    assert tokens.attention_mask[2].all()


def test_clip_marks_the_end_even_of_a_text_that_is_cut(checkpoint: Callable[[str], Path]) -> None:
    tokens = TextFeatures.load(str(checkpoint("clip"))).of(TEXTS)
    ends = tokens.input_ids[0, tokens.attention_mask[0].sum() - 1]
    assert tokens.input_ids[2, -1] == ends
    assert tokens.cut.tolist() == [False, False, True]
    assert tokens.attention_mask[0].sum() < 77


def test_a_model_without_a_bound_pads_to_the_longest_and_cuts_nothing(checkpoint: Callable[[str], Path]) -> None:
    features = TextFeatures.load(str(checkpoint("llama")))
    tokens = features.of(TEXTS)
    assert features.longest is None
    assert not tokens.cut.any()
    assert tokens.attention_mask.sum(1).max() == tokens.input_ids.shape[1]
    assert features.of(TEXTS, length=8).input_ids.shape == (3, 8)
    assert features.of(TEXTS, length=8).cut.tolist() == [False, True, True]


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(KuamoError) as caught:
        TextFeatures.load(str(tmp_path))
    assert caught.value.code == "no_processor"
