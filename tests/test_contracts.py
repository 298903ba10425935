"""Requests refuse what cannot be; streams give pieces, then the whole."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.contracts import DrawRequest, Sampling, Segment, SpeakRequest, Transcript, join_text
from kuamo.errors import KuamoError
from kuamo.media.image import Image
from kuamo.stream import Stream


@pytest.mark.parametrize(
    "values",
    [
        {"width": 7},
        {"height": 100},
        {"width": 100_000},
        {"steps": 0},
        {"guidance": float("nan")},
        {"guidance": -1},
        {"width": 7, "height": 9},
        {"height": 100_000},
        {"guidance": float("inf")},
        {"count": 0},
        {"count": 5},
        {"seed": -1},
        {"seed": 10**30},
        {"strength": 0},
        {"strength": float("nan")},
        {"scheduler": "cubic"},
    ],
)
def test_a_drawing_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(KuamoError) as caught:
        DrawRequest(prompt="a boat", **values)
    assert caught.value.code in ("out_of_range", "not_a_multiple", "not_one_of")
    assert next(iter(values)) in str(caught.value)


def test_a_mask_needs_a_picture_of_its_size() -> None:
    small, large = (Image(np.zeros((side, side + 8, 3), np.uint8)) for side in (8, 16))
    assert DrawRequest(prompt="a boat", image=small, mask=small).mask is small
    with pytest.raises(KuamoError, match="there is no picture"):
        DrawRequest(prompt="a boat", mask=small)
    with pytest.raises(KuamoError, match="mask has 16×8 px, its picture 24×16 px"):
        DrawRequest(prompt="a boat", image=large, mask=small)


@pytest.mark.parametrize("values", [{"temperature": float("inf")}, {"top_p": 0}, {"max_new_tokens": 0}])
def test_sampling_out_of_range_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(KuamoError):
        Sampling(**values)
    with pytest.raises(KuamoError):
        SpeakRequest(text="hello", speed=0)


def count_to(last: int, fail_at: int | None = None) -> Generator[int, None, str]:
    for number in range(1, last + 1):
        if number == fail_at:
            raise KuamoError("text_empty")
        yield number
    return f"counted to {last}"


@given(st.integers(0, 20), st.integers(0, 25))
def test_a_stream_gives_every_piece_once_then_the_whole(last: int, taken: int) -> None:
    stream = Stream(count_to(last))
    pieces = [piece for _, piece in zip(range(taken), stream, strict=False)]
    assert pieces == list(range(1, min(taken, last) + 1))
    assert stream.result() == f"counted to {last}"
    assert stream.result() == f"counted to {last}"
    assert list(stream) == []


def test_a_fault_before_the_first_piece_shows_at_once() -> None:
    with pytest.raises(KuamoError):
        Stream(count_to(3, fail_at=1))
    stream = Stream(count_to(3, fail_at=2))
    assert next(stream) == 1
    with pytest.raises(KuamoError):
        next(stream)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (("hello", "world"), "hello world"),
        (("今天", "天气"), "今天天气"),
        (("用", "Wi-Fi", "上网"), "用 Wi-Fi 上网"),
        (("", " a ", ""), "a"),
        ((), ""),
    ],
)
def test_texts_are_joined_as_their_script_wants(parts: tuple[str, ...], whole: str) -> None:
    assert join_text(parts) == whole
    assert Transcript(tuple(Segment(0, 1, part) for part in parts), ()).text == whole
