"""Texts are cleaned, videos give frames over their whole length."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.media.text import clean_text, is_chinese
from kuamo.media.video import read_video

LIMITS = Limits()


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  two   spaces\tand\nlines ", "two spaces and lines"),
        ("cafe\u0301", "café"),
        ("a\x00b\x1bc", "a b c"),
        ("\ufeff今天　天气晴朗", "今天 天气晴朗"),
        ("👩‍🚀 keeps her joiner", "👩‍🚀 keeps her joiner"),
    ],
)
def test_text_is_cleaned(raw: str, clean: str) -> None:
    assert clean_text(raw, LIMITS) == clean


@pytest.mark.parametrize(
    ("raw", "code"), [("", "text_empty"), (" \n\u200b", "text_empty"), ("x" * 100_000, "text_too_long")]
)
def test_what_is_no_text_is_refused(raw: str, code: str) -> None:
    with pytest.raises(KuamoError) as caught:
        clean_text(raw, LIMITS)
    assert caught.value.code == code


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    if raw.strip():
        once = clean_text("a" + raw, LIMITS)
        assert clean_text(once, LIMITS) == once


def test_chinese_is_told_from_english() -> None:
    assert is_chinese("Wi-Fi 密码")
    assert not is_chinese("naïve café, ok?")


def test_frames_are_spread_over_the_video(data: Path) -> None:
    video = read_video(data / "video" / "world.mp4", LIMITS, frames=4)
    assert len(video.frames) == 4
    assert (video.frames[0].width, video.frames[0].height) == (480, 270)
    gaps = [later - earlier for earlier, later in zip(video.seconds, video.seconds[1:], strict=False)]
    assert max(gaps) - min(gaps) < 0.1
    assert (video.frames[0].pixels != video.frames[-1].pixels).any()


def test_what_is_no_video_is_refused(data: Path) -> None:
    for source, code in (
        (b"not a video", "not_a_video"),
        (data / "speech" / "jfk.flac", "not_a_video"),
        (data / "video" / "world.mp4", "audio_too_long"),
    ):
        with pytest.raises(KuamoError) as caught:
            read_video(source, Limits(seconds=1))
        assert caught.value.code == code
