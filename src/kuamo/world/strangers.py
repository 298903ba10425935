"""What the small model must not claim to know: things that are in no table, numbers too large, any words at all."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random

from kuamo.messages import Language
from kuamo.world.phrases import LANGUAGES, LARGEST, Intent, Row, Split, beyond, held_to, intents, number_row, row_of

ARTICLE = re.compile(r"^(a|an|the) ")
HAN_LEVEL_ONE = range(16, 56)  # the rows of GB 2312 that hold the 3,755 characters in common use


def stranger_row(intent: Intent, split: Split, rng: Random) -> Row:
    """Return a row of an intent with one field said of something that its facts do not know.

    In training also of what other facts know, and of any word at all.
    """
    stranger = _stranger(intent, split, rng)
    known = rng.choice(intent.rows)
    place = rng.choice(intent.fields[: max(1, len(intent.fields) - 1)])
    english = stranger["en"] if _has_articles(intent, place) else ARTICLE.sub("", stranger["en"])
    if intent.name == "translate":
        strange = {"english": (english,), "chinese": (stranger["zh"],)}
        return {"en": strange, "zh": strange}
    return {"en": {**known["en"], place: (english,)}, "zh": {**known["zh"], place: (stranger["zh"],)}}


def _stranger(intent: Intent, split: Split, rng: Random) -> Mapping[Language, str]:
    if split != "train":
        return rng.choice(held_to(beyond().strangers, split))
    chance = rng.random()
    if chance < 0.2:
        return {"en": f"{rng.choice(('a', 'the'))} {any_word('en', rng)}", "zh": any_word("zh", rng)}
    if chance < 0.4:
        return rng.choice(_known_elsewhere(intent.name))
    return rng.choice(held_to(beyond().strangers, "train") + beyond().further_strangers)


def _has_articles(intent: Intent, field: str) -> bool:
    return any(ARTICLE.match(row["en"][field][0]) for row in intent.rows)


@cache
def _known_elsewhere(name: str) -> tuple[Mapping[Language, str], ...]:
    tables = [intent for intent in intents() if intent.fields and not intent.computed]
    own = {ARTICLE.sub("", way) for intent in tables if intent.name == name for way in _ways(intent)}
    others = (
        {language: row[language][intent.fields[0]][0] for language in LANGUAGES}
        for intent in tables
        if _has_articles(intent, intent.fields[0])
        for row in intent.rows
    )
    return tuple(other for other in others if own.isdisjoint((ARTICLE.sub("", other["en"]), other["zh"])))


def _ways(intent: Intent) -> Iterator[str]:
    yield from (way for row in intent.rows for values in row.values() for ways in values.values() for way in ways)


def too_large_row(intent: Intent, rng: Random) -> Row:
    """Return a row of a number fact with a number far above those it knows, as digits or words, or a sum below zero."""
    if intent.name == "minus" and rng.random() < 0.3:
        less = rng.randint(0, LARGEST - 1)
        return row_of(number_row(less, rng.randint(less + 1, LARGEST), "-"), intent.fields)
    large = rng.choice((rng.randint(101, 999), rng.randint(1_000, 99_999)))
    if intent.name in ("plus", "minus", "times") and rng.random() < 0.5:
        large = rng.randint(LARGEST + 1, 99)
    small = rng.randint(2, LARGEST)
    first = rng.random() < 0.5 or len(intent.fields) == 2
    values: list[int | str] = [large, small, "-"] if first else [small, large, "-"]
    return row_of(number_row(*values[: len(intent.fields)]), intent.fields)


def with_words(line: str, language: Language, rng: Random) -> str:
    """Return a line with any words for its {w}; where it has none, one of its words is exchanged."""
    line = re.sub(r"\(([^)]*)\)", lambda match: rng.choice(match[1].split("|")), line)
    if "{w}" not in line:
        spots = list(re.finditer(r"[a-z]{5,}" if language == "en" else r"[\u4e00-\u9fff]{2}", line))
        if not spots:
            return line
        spot = rng.choice(spots)
        line = line[: spot.start()] + "{w}" + line[spot.end() :]
    return re.sub(r"\{w\}", lambda _: any_word(language, rng), line)


def any_word(language: Language, rng: Random) -> str:
    """Return any word: from the training topics, from a dictionary, or characters in common use, by chance."""
    if language == "en":
        topical, dictionary = _words()
        return rng.choice(topical if rng.random() < 0.5 else dictionary)
    if rng.random() < 0.5:
        return rng.choice(_chinese_words())
    while (word := "".join(_han(rng) for _ in range(rng.choice((1, 2, 2, 2, 3))))) in _known_in_chinese():
        pass
    return word


def _han(rng: Random) -> str:
    while True:
        code = bytes((0xA0 + rng.choice(HAN_LEVEL_ONE), 0xA0 + rng.randint(1, 94)))
        try:
            return code.decode("gb2312")
        except UnicodeDecodeError:  # the last row is not full
            continue


@cache
def _words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    known = set(_tokens(_in_scope_texts()))
    topical = sorted(set(_tokens(_topic_lines("en"))) - known)
    return tuple(topical), tuple(word for word in _dictionary() if word not in known)


@cache
def _chinese_words() -> tuple[str, ...]:
    choices = re.findall(r"[(|]([\u4e00-\u9fff]{2,4})(?=[|)])", "\n".join(_topic_lines("zh")))
    words = {*choices, *(stranger["zh"] for stranger in beyond().further_strangers)}
    common = "\n".join(line for intent in intents() for line in (*intent.ask["zh"], *intent.further["zh"]))
    return tuple(sorted(word for word in words - _known_in_chinese() if word not in common))


@cache
def _known_in_chinese() -> frozenset[str]:
    return frozenset(way for intent in intents() for way in _ways(intent))


def _topic_lines(language: Language) -> Iterator[str]:
    for topic in (*held_to(beyond().topics, "train"), *beyond().further_topics):
        yield from topic[language]


def _tokens(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield from re.findall(r"[a-z']{3,}", text.lower())


def _in_scope_texts() -> Iterator[str]:
    for intent in intents():
        yield from (*intent.ask["en"], *intent.further["en"])
        yield from (way for row in intent.rows for ways in row["en"].values() for way in ways)


def _dictionary() -> Iterator[str]:
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    for line in path.read_text(encoding="utf-8").splitlines():
        word = line.split(" ", 1)[0]
        if re.fullmatch(r"[a-z]{3,12}", word):
            yield word
