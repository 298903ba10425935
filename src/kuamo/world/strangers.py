"""What the small model must not claim to know: things that are in no table, numbers too large, any words at all."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from kuamo.messages import Language
from kuamo.world.phrases import LARGEST, Intent, Row, Split, beyond, held_to, intents, number_row, row_of

ARTICLE = re.compile(r"^(a|an|the) ")
HAN_LEVEL_ONE = range(16, 56)  # the rows of GB 2312 that hold the 3,755 characters in common use


def stranger_row(intent: Intent, split: Split, rng: Random) -> Row:
    """Return a row of an intent with one field said of something that its facts do not know."""
    stranger = rng.choice(held_to(beyond().strangers, split))
    known = rng.choice(intent.rows)
    place = rng.choice(intent.fields[: max(1, len(intent.fields) - 1)])
    articles = any(ARTICLE.match(row["en"][place][0]) for row in intent.rows)
    english = stranger["en"] if articles else ARTICLE.sub("", stranger["en"])
    if intent.name == "translate":
        strange = {"english": (english,), "chinese": (stranger["zh"],)}
        return {"en": strange, "zh": strange}
    return {"en": {**known["en"], place: (english,)}, "zh": {**known["zh"], place: (stranger["zh"],)}}


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
    topical, dictionary = _words()
    if language == "en":
        return rng.choice(topical if rng.random() < 0.5 else dictionary)
    return "".join(_han(rng) for _ in range(rng.choice((1, 2, 2, 2, 3))))


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
    topics = (line for topic in held_to(beyond().topics, "train") for line in topic["en"])
    topical = sorted(set(_tokens(topics)) - known)
    return tuple(topical), tuple(word for word in _dictionary() if word not in known)


def _tokens(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield from re.findall(r"[a-z']{3,}", text.lower())


def _in_scope_texts() -> Iterator[str]:
    for intent in intents():
        yield from intent.ask["en"]
        yield from (way for row in intent.rows for ways in row["en"].values() for way in ways)


def _dictionary() -> Iterator[str]:
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    for line in path.read_text(encoding="utf-8").splitlines():
        word = line.split(" ", 1)[0]
        if re.fullmatch(r"[a-z]{3,12}", word):
            yield word
