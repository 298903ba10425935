import json

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from praatio import textgrid

from kuamo.capabilities.timing import CUE_LINES, CUE_SECONDS, FORMATS, LINE_WIDTH, cues
from kuamo.contracts import Segment, Word

WORD_TEXTS = st.text(st.sampled_from("abcXYZ'\"\\nNh{}<&.,!?-今天气晴朗，。！éß안0"), min_size=1, max_size=12)


def timed(texts: list[str], gaps: list[float]) -> tuple[Segment, ...]:
    words, now = [], 0.0
    for text, gap in zip(texts, gaps, strict=False):
        words.append(Word(round(now + gap / 3, 3), round(now + gap, 3), text, 0.5))
        now += gap
    return (Segment(0.0, now, " ".join(texts), tuple(words)),)


timed_words = st.lists(st.tuples(WORD_TEXTS, st.floats(0, 5)), min_size=1, max_size=40).map(
    lambda pairs: timed([text for text, _ in pairs], [gap for _, gap in pairs])
)


def read_grid(text: str, folder):
    file = folder / "a.TextGrid"
    file.write_text(text, encoding="utf-8")
    return textgrid.openTextgrid(str(file), includeEmptyIntervals=False)


def test_text_shows_every_word_with_its_times_and_score():
    shown = FORMATS["text"]((Segment(0, 2, "Hello 世界", (Word(0.5, 1.25, "Hello", 0.875),)), Segment(2, 3, "bye")))
    assert shown == "Hello 世界\n    0.500     1.250  Hello  0.88\nbye\n"


@given(timed_words)
def test_json_holds_everything(segments):
    (segment,) = json.loads(FORMATS["json"](segments))
    assert tuple(Word(**word) for word in segment["words"]) == segments[0].words


@given(timed_words, st.sampled_from(["srt", "vtt"]))
def test_subtitles_come_back_through_their_library(segments, form):
    shown = cues(segments)
    file = pysubs2.SSAFile.from_string(FORMATS[form](segments), format_=form, keep_html_tags=True, keep_ssa_tags=True)
    assert len(file) == len(shown)
    for event, cue in zip(file, shown, strict=True):
        assert event.start == round(cue.start_seconds * 1000)
        assert event.end == max(event.start + 1, round(cue.end_seconds * 1000))


def test_subtitles_keep_chinese_braces_and_backslashes():
    segments = timed([r"C:\new", "{b}今天", "<i>&"], [1, 1, 1])
    assert "C:\\\u2060new {b}今天 <i>&" in FORMATS["srt"](segments)
    assert "{b}今天 &lt;i&gt;&amp;" in FORMATS["vtt"](segments)


@given(timed_words)
def test_cues_are_short_and_lose_no_word(segments):
    shown = cues(segments)
    spoken = "".join("".join(cue.lines) for cue in shown).replace(" ", "")
    assert spoken == "".join(word.text for word in segments[0].words)
    for cue in shown:
        assert len(cue.lines) <= CUE_LINES
        assert all(len(line) <= LINE_WIDTH for line in cue.lines)
        assert cue.end_seconds - cue.start_seconds <= CUE_SECONDS + 1e-6


def test_a_sentence_a_pause_and_the_width_close_a_cue():
    texts = ["One", "two.", "Three", "four", *["word"] * 20]
    segments = timed(texts, [0.1, 0.1, 0.1, 3, *[0.1] * 20])
    lines = [cue.lines for cue in cues(segments)]
    assert lines[:2] == [("One two.",), ("Three",)]
    assert [len(line) for line in lines[2]] == [39, 39]


def test_chinese_lines_hold_half_as_many_characters():
    (first, *_) = cues(timed(list("天" * 60), [0.1] * 60))
    assert [len(line) for line in first.lines] == [21, 21]


def test_a_segment_without_words_is_one_cue():
    assert [cue.lines for cue in cues((Segment(0, 1, " a \n b "), Segment(1, 2, "")))] == [("a b",)]


@given(segments=timed_words)
def test_textgrids_come_back_through_their_library(segments, tmp_path_factory):
    grid = read_grid(FORMATS["textgrid"](segments), tmp_path_factory.mktemp("grid"))
    entries = grid.getTier("words").entries
    assert [entry.label for entry in entries] == [word.text for word in segments[0].words]
    for entry, word in zip(entries, segments[0].words, strict=True):
        assert entry.start >= word.start_seconds - 1e-6
        assert entry.end >= word.end_seconds - 1e-6


def test_textgrid_cuts_overlaps_and_keeps_words_without_length(tmp_path):
    words = (Word(0, 2, "a"), Word(1, 3, '"b"'), Word(3, 3, "c"))
    entries = read_grid(FORMATS["textgrid"]((Segment(0, 3, "a b c", words),)), tmp_path).getTier("words").entries
    assert [tuple(entry) for entry in entries] == [(0, 2, "a"), (2, 3, '"b"'), (3, 3.001, "c")]


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_said_is_no_fault(form):
    assert isinstance(FORMATS[form](()), str)
