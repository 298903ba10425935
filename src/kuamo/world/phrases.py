"""The phrases of the small world's talk: intents with many ways to ask and answer, facts, and what lies beyond."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random
from typing import Any, Literal, TypeVar

from kuamo.messages import Language
from kuamo.world.tables import read_table

Item = TypeVar("Item")
Split = Literal["train", "validation", "test"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
# Where the lines of a list go, in turn: a quarter is held out, by line and not by sample.
SPLITS: tuple[Split, ...] = ("train", "train", "train", "test", "train", "train", "train", "validation")
LARGEST = 12  # of the numbers in plus and minus

Row = Mapping[Language, Mapping[str, tuple[str, ...]]]
"""A fact: by language and field, the ways to say it, the first of which is used in answers."""


@dataclass(frozen=True)
class Intent:
    """Something people say: ways to ask, to answer (aligned between the languages) and to go on to another row.

    `further` ways to ask, and `more_further` ways to go on, are for training only, where what they say is not held out.
    Among the further ones are the manners of asking for what is to be done or to be known, if a table lists that.
    """

    name: str
    ask: Mapping[Language, tuple[str, ...]]
    further: Mapping[Language, tuple[str, ...]]
    say: Mapping[Language, tuple[str, ...]]
    more: Mapping[Language, tuple[str, ...]]
    more_further: Mapping[Language, tuple[str, ...]]
    rows: tuple[Row, ...]
    fields: tuple[str, ...]
    computed: bool
    open: bool
    weight: int

    def answers(self, language: Language, row: Row) -> tuple[str, ...]:
        """Return its answers for a row, all of which are right."""
        values = {name: ways[0] for name, ways in row[language].items()}
        return tuple(_capital(line.format(**values)) for line in self.say[language])


@dataclass(frozen=True)
class Beyond:
    """What the small model does not know: refusals, topics of questions, strangers to the facts, frames for words.

    Further topics and strangers are for training only, and share no word with those held out.
    """

    say: Mapping[Language, tuple[str, ...]]
    topics: tuple[Mapping[Language, tuple[str, ...]], ...]
    further_topics: tuple[Mapping[Language, tuple[str, ...]], ...]
    strangers: tuple[Mapping[Language, str], ...]
    further_strangers: tuple[Mapping[Language, str], ...]
    frames: Mapping[Language, tuple[str, ...]]


def held_to(items: Sequence[Item], split: Split) -> tuple[Item, ...]:
    """Return the items that belong to a split, by their place in the list."""
    return tuple(item for place, item in enumerate(items) if SPLITS[place % len(SPLITS)] == split)


def expansions(line: str) -> tuple[str, ...]:
    """Return everything a line with choices like (this|that|) can become."""
    parts = [part.split("|") for part in re.split(r"[()]", line)]
    return tuple(" ".join("".join(chosen).split()) for chosen in product(*parts))


def expand(line: str, rng: Random) -> str:
    """Return one thing that a line with choices like (this|that|) can become."""
    return " ".join(re.sub(r"\(([^)]*)\)", lambda match: rng.choice(match[1].split("|")), line).split())


@cache
def intents() -> tuple[Intent, ...]:
    """Return all intents, in the order of the files."""
    files = (read_table(f"phrases/{name}") for name in ("small_talk", "assistant", "facts", "context"))
    return tuple(_intent(name, table) for file in files for name, table in file.items())


@cache
def beyond() -> Beyond:
    """Return what lies beyond."""
    table = read_table("phrases/beyond")
    return Beyond(
        say=_by_language(table["say"], ""),
        topics=tuple(map(_all_lines, table["topic"].values())),
        further_topics=tuple(map(_all_lines, table["further_topic"].values())),
        strangers=_pairs_of(_by_language(table["strangers"], "")),
        further_strangers=_pairs_of(_by_language(table["strangers"], "_further")),
        frames=_all_lines(table["frames"]),
    )


@cache
def manner() -> dict[str, dict[Language, tuple[str, ...]]]:
    """Return how things are said around the question: by kind (system, before, do, …), then language."""
    return {kind: _by_language(table, "") for kind, table in read_table("phrases/manner").items()}


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line)


def _by_language(table: Mapping[str, Any], suffix: str) -> dict[Language, tuple[str, ...]]:
    return {language: _lines(table.get(language + suffix, "")) for language in LANGUAGES}


def _all_lines(table: Mapping[str, Any], suffix: str = "") -> dict[Language, tuple[str, ...]]:
    lines = _by_language(table, suffix)
    return {language: (*lines[language], *_asked_for(table, language)) for language in LANGUAGES}


def _asked_for(table: Mapping[str, Any], language: Language) -> Iterator[str]:
    for slot in ("do", "know"):
        wordings = "|".join("|".join(_some_expansions(line)) for line in _lines(table.get(f"{language}_{slot}", "")))
        if wordings:
            yield from (line.replace(f"{{{slot}}}", f"({wordings})") for line in manner()[slot][language])


def _some_expansions(line: str) -> Sequence[str]:
    ways = expansions(line)
    return Random(line).sample(ways, min(len(ways), 12))


def _pairs_of(words: Mapping[Language, Sequence[str]]) -> tuple[Mapping[Language, str], ...]:
    return tuple({"en": en, "zh": zh} for en, zh in zip(words["en"], words["zh"], strict=True))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _intent(name: str, table: dict[str, Any]) -> Intent:
    fields = tuple(field.strip() for field in table.get("fields", "").split(",") if field.strip())
    lines = _COMPUTED[table["computed"]]() if "computed" in table else _lines(table.get("rows", ";"))
    return Intent(
        name=name,
        ask=_by_language(table, ""),
        further=_all_lines(table, "_further"),
        say=_by_language(table, "_say"),
        more=_by_language(table, "_more"),
        more_further=_by_language(table, "_more_further"),
        rows=tuple(row_of(line, fields) for line in lines),
        fields=fields,
        computed="computed" in table,
        open=table.get("open", False),
        weight=table.get("weight", 2 if len(lines) > 2 else 1),
    )


def row_of(line: str, fields: tuple[str, ...]) -> Row:
    """Return the row that a line "a, b/c; 甲, 乙" holds. Raises ValueError where it has not a value for each field."""
    halves = zip(LANGUAGES, line.split(";"), strict=True)
    return {language: _values(half, fields) for language, half in halves}


def _values(half: str, fields: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    values = half.split(", ") if fields else []
    ways = (tuple(value.strip().split("/")) for value in values)
    return dict(zip(fields, ways, strict=True))


# --- facts about numbers


def spoken(number: int, language: Language) -> str:
    """Return a number below a hundred million in words, without marks: 21 as "twenty one" or 二十一."""
    if language == "zh":
        return _in_chinese(number).removeprefix("一" if 10 <= number < 20 else "")
    from num2words import num2words

    return " ".join(re.split("[-, ]+", str(num2words(number))))


def _in_chinese(number: int) -> str:
    for size, unit in ((10_000, "万"), (1_000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            head, rest = divmod(number, size)
            gap = "零" if 0 < rest < size // 10 else ""
            return _in_chinese(head) + unit + gap + (_in_chinese(rest) if rest else "")
    return "零一二三四五六七八九"[number]


def number_row(*values: int | str | tuple[str, str]) -> str:
    """Return a line of values: numbers as digits or words, pairs in English and Chinese."""
    halves = []
    for place, language in enumerate(LANGUAGES):
        ways = (
            f"{value}/{spoken(value, language)}" if isinstance(value, int) else value[place] if isinstance(value, tuple)
            else value
            for value in values
        )  # fmt: skip
        halves.append(", ".join(ways))
    return "; ".join(halves)


def _pairs(low: int, high: int) -> Iterator[tuple[int, int]]:
    numbers = range(low, high + 1)
    return product(numbers, numbers)


def _counted(to: int) -> tuple[str, str]:
    return (" ".join(map(str, range(1, to + 1))),) * 2


_COMPUTED: dict[str, Callable[[], list[str]]] = {
    "plus": lambda: [number_row(a, b, str(a + b)) for a, b in _pairs(0, LARGEST)],
    "minus": lambda: [number_row(a, b, str(a - b)) for a, b in _pairs(0, LARGEST) if b <= a],
    "times": lambda: [number_row(a, b, str(a * b)) for a, b in _pairs(1, 10)],
    "next_number": lambda: [number_row(a, str(a + 1)) for a in range(100)],
    "larger": lambda: [number_row(a, b, str(max(a, b))) for a, b in _pairs(0, LARGEST) if a != b],
    "parity": lambda: [number_row(a, (("even", "odd")[a % 2], ("偶数", "奇数")[a % 2])) for a in range(100)],
    "count_to": lambda: [number_row(a, _counted(a)) for a in range(3, 13)],
}
