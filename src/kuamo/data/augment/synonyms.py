"""Words replaced by others of the same meaning, in English and Chinese."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

Table = Mapping[str, Sequence[str]]

QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|「[^」]*」|『[^』]*』|《[^》]*》|<[^<>]*>")


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("synonyms.toml").read_text(encoding="utf-8"))


def own_table() -> Table:
    """Return the table of synonyms.toml: some 130 common words of captions and questions in both languages."""
    return {**_file()["en"], **_file()["zh"]}


def replace_synonyms(
    text: str, random: np.random.Generator, share: float = 0.3, table: Table | None = None
) -> tuple[str, list[tuple[str, str]]]:
    """Return a text with about `share` of the words that have synonyms replaced, and what was replaced by what.

    Whole words in English, with their capital and the article before them mended; the longest match in Chinese. What
    stands in quotation marks or angle brackets (`<image>`) is left alone. `table` adds to `own_table`.
    """
    words = {**own_table(), **(table or {})}
    kept = [match.span() for match in QUOTED.finditer(text)]
    replaced: list[tuple[str, str]] = []

    def other(match: re.Match[str]) -> str:
        word = match["word"]
        choices = words.get(word) or words.get(word.lower()) or ()
        inside = any(start <= match.start() < end for start, end in kept)
        if not choices or inside or random.random() >= share:
            return match.group()
        chosen = str(choices[int(random.integers(len(choices)))])
        replaced.append((word, chosen))
        return _article(match["article"], chosen) + (chosen.capitalize() if word[0].isupper() else chosen)

    return _pattern(frozenset(words)).sub(other, text), replaced


def _article(article: str | None, word: str) -> str:
    """Return "a " or "an " as the word wants it, in the case of the one that stood there; nothing where none did."""
    if not article:
        return ""
    return article[0] + ("n " if word[0].lower() in "aeiou" else " ")


@cache
def _pattern(words: frozenset[str]) -> re.Pattern[str]:
    """Return what finds the words and, so that they are passed over, longer ones that hold them."""
    every = sorted({*words, *_file()["kept"]["en"], *_file()["kept"]["zh"]}, key=len, reverse=True)
    english = "|".join(re.escape(word) for word in every if word.isascii())
    chinese = "|".join(re.escape(word) for word in every if not word.isascii())
    return re.compile(
        rf"(?:\b(?P<article>an? ))?(?P<word>(?<![\w-])(?:{english})(?![\w-])|(?:{chinese}))", re.IGNORECASE
    )
