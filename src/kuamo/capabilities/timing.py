"""Timed words and segments as text, JSON, subtitles (SRT, WebVTT) and Praat's TextGrid."""

import html
import json
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kuamo.contracts import Segment, Span, Word, join_text

LINE_WIDTH, CUE_LINES, CUE_SECONDS, PAUSE_SECONDS = 42, 2, 7.0, 1.0
SHORTEST_SECONDS = 0.001
SENTENCE_END = re.compile(r"[.!?。！？…]['\")\]”’」』）]*$")


@dataclass(frozen=True)
class Cue(Span):
    """A subtitle: its lines, and when they are shown."""

    lines: tuple[str, ...]


def to_text(segments: Sequence[Segment]) -> str:
    """Return each segment's text on a line, below it its words: start and end in seconds, word, score if known."""
    lines = []
    for segment in segments:
        lines.append(_on_one_line(segment.text))
        lines += [f"{_seconds(word)}  {word.text}{_score(word)}" for word in segment.words]
    return "\n".join(lines) + "\n"


def to_json(segments: Sequence[Segment]) -> str:
    """Return a JSON array of the segments with their fields; times in seconds."""
    return json.dumps([asdict(segment) for segment in segments], ensure_ascii=False, indent=2) + "\n"


def to_srt(segments: Sequence[Segment]) -> str:
    """Return SubRip subtitles, cut as `cues` does."""
    return _subtitles(cues(segments), "srt")


def to_vtt(segments: Sequence[Segment]) -> str:
    """Return WebVTT subtitles, cut as `cues` does; <, > and & escaped as the standard wants."""
    return _subtitles(
        [
            Cue(c.start_seconds, c.end_seconds, tuple(html.escape(x, quote=False) for x in c.lines))
            for c in cues(segments)
        ],
        "vtt",
    )


def to_textgrid(segments: Sequence[Segment]) -> str:
    """Return a long TextGrid with tiers `segments` and `words`; overlaps are cut, nothing is shorter than 1 ms."""
    from praatio import textgrid

    words = [word for segment in segments for word in segment.words]
    tiers = {"segments": _intervals(segments), "words": _intervals(words)}
    end = max((interval[1] for intervals in tiers.values() for interval in intervals), default=SHORTEST_SECONDS)
    grid = textgrid.Textgrid(0, end)
    for name, intervals in tiers.items():
        grid.addTier(textgrid.IntervalTier(name, intervals, 0, end))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "timed.TextGrid"
        grid.save(str(file), format="long_textgrid", includeBlankSpaces=True, minimumIntervalLength=None)
        return file.read_text(encoding="utf-8")


FORMATS: dict[str, Callable[[Sequence[Segment]], str]] = {
    "text": to_text,
    "json": to_json,
    "srt": to_srt,
    "vtt": to_vtt,
    "textgrid": to_textgrid,
}


def cues(segments: Sequence[Segment]) -> list[Cue]:
    """Group words to subtitles of at most two lines of 42 columns (21 Han characters) and 7 seconds.

    A sentence's end, a pause of a second and a segment's end close one. A segment without words stays whole.
    """
    found = []
    for segment in segments:
        if not segment.words:
            found += [Cue(segment.start_seconds, segment.end_seconds, (_on_one_line(segment.text),))]
        found += [
            Cue(words[0].start_seconds, words[-1].end_seconds, tuple(_lines(words))) for words in _groups(segment.words)
        ]
    return [cue for cue in found if any(cue.lines)]


def _groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in words:
        if group and _closes(group, word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _closes(group: list[Word], word: Word) -> bool:
    last = group[-1]
    return (
        SENTENCE_END.search(last.text) is not None
        or word.start_seconds - last.end_seconds >= PAUSE_SECONDS
        or word.end_seconds - group[0].start_seconds > CUE_SECONDS
        or len(_lines([*group, word])) > CUE_LINES
    )


def _lines(words: Sequence[Word]) -> list[str]:
    lines = [""]
    for word in words:
        longer = join_text((lines[-1], _on_one_line(word.text)))
        if lines[-1] and _columns(longer) > LINE_WIDTH:
            lines.append(_on_one_line(word.text))
        else:
            lines[-1] = longer
    return lines


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _subtitles(shown: Sequence[Cue], form: str) -> str:
    import pysubs2

    file = pysubs2.SSAFile()
    for cue in shown:
        start = max(0, round(cue.start_seconds * 1000))
        event = pysubs2.SSAEvent(start=start, end=max(start + 1, round(cue.end_seconds * 1000)))
        # \n, \N and \h would be taken for breaks and blanks: a word joiner, which is not seen, parts them.
        event.plaintext = re.sub(r"\\(?=[nNh])", "\\\\\u2060", "\n".join(cue.lines))
        file.append(event)
    return file.to_string(form, keep_ssa_tags=True)


def _intervals(spans: Sequence[Segment] | Sequence[Word]) -> list[tuple[float, float, str]]:
    intervals: list[tuple[float, float, str]] = []
    for span in spans:
        if not (label := _on_one_line(span.text)):
            continue
        start = max(span.start_seconds, intervals[-1][1] if intervals else 0.0)
        intervals.append((start, max(span.end_seconds, start + SHORTEST_SECONDS), label))
    return intervals


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _seconds(span: Span) -> str:
    return f"{span.start_seconds:9.3f} {span.end_seconds:9.3f}"


def _score(word: Word) -> str:
    return "" if word.score is None else f"  {word.score:.2f}"
