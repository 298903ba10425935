"""How a question is worded: typed with capitals and marks, or as a speech recogniser writes it; typing errors."""

import re
from collections.abc import Iterator
from functools import cache
from random import Random

from kuamo.messages import Language
from kuamo.world.phrases import manner

FINALS: dict[Language, tuple[str, ...]] = {"en": ("", "?", ".", "!"), "zh": ("", "？", "。", "！")}
NAMES = re.compile(r"\b(i|kuamo|chinese|english|french|german|japanese|spanish|python|openai)\b")
HAN = "[\u4e00-\u9fff]"
BETWEEN_HAN = re.compile(f"(?<={HAN}) (?={HAN})")
SMALL_WORDS = {
    "en": re.compile(r"(?<!\S)(the|a|an|is|are|do|does|of|me|to|for|can|it|i|please) "),
    "zh": re.compile("[的了呢吗请吧一]"),
}
ANY_WORDS = {"en": re.compile(r"\S+ "), "zh": re.compile(HAN)}
LONG_WORDS = re.compile(r"(?<![{\w])[a-z]{5,}(?![}\w])")


def wrapped(line: str, language: Language, rng: Random) -> str:
    """Return a line with words around it that change nothing, in three of ten cases."""
    before = rng.choice(manner()["before"][language]) + " " if rng.random() < 0.25 else ""
    after = " " + rng.choice(manner()["after"][language]) if rng.random() < 0.08 else ""
    return f"{before}{line}{after}"


def unwrapped(text: str, language: Language) -> Iterator[str]:
    """Yield a recognised text, and what is left of it without words around it that change nothing."""
    space = " " if language == "en" else ""
    around = manner()
    for before in ("", *(word + space for word in around["before"][language])):
        for after in ("", *(space + word for word in around["after"][language])):
            if text.startswith(before) and text.endswith(after):
                yield text.removeprefix(before).removesuffix(after)


def swapped(line: str, language: Language, rng: Random) -> str:
    """Return a line with some of its phrases put in other words that mean the same."""
    pattern, groups = _swaps(language)

    def other(match: re.Match[str]) -> str:
        return rng.choice(groups[match[0]]) if rng.random() < 0.4 else match[0]

    return pattern.sub(other, line)


@cache
def _swaps(language: Language) -> tuple[re.Pattern[str], dict[str, list[str]]]:
    groups = {phrase: group for line in manner()["swap"][language] for group in [line.split("|")] for phrase in group}
    phrases = "|".join(map(re.escape, sorted(groups, key=len, reverse=True)))
    return re.compile(rf"(?<![{{\w'])({phrases})(?![}}\w'])" if language == "en" else phrases), groups


def mistyped(line: str, language: Language, rng: Random) -> str:
    """Return a line with one error outside its {slots}: a word lost, a letter lost, or two letters swapped.

    Any word is lost only where there are no slots, a small one elsewhere.
    """
    lost = ANY_WORDS if "{" not in line and rng.random() < 0.5 else SMALL_WORDS
    misspelt = language == "en" and rng.random() < 0.4
    places = list((LONG_WORDS if misspelt else lost[language]).finditer(line))
    if not places or (lost is ANY_WORDS and len(places) < 4):
        return line
    start, end = rng.choice(places).span()
    if not misspelt:
        return line[:start] + line[end:]
    spot = rng.randrange(start + 1, end - 2)
    swapped = line[spot + 1] + line[spot] if rng.random() < 0.5 else line[spot + 1]
    return line[:spot] + swapped + line[spot + 2 :]


def typed(text: str, language: Language, rng: Random) -> str:
    """Return a text as a careful person types it: capitals, names, commas and a mark at the end."""
    final = rng.choice(FINALS[language])
    if language == "zh":
        return BETWEEN_HAN.sub("，", text) + final
    text = NAMES.sub(lambda match: match[0].capitalize(), text)
    return text[:1].upper() + text[1:] + final


def recognised(text: str, language: Language) -> str:
    """Return a text as a speech recogniser writes it: lower case, no marks, in Chinese no spaces."""
    text = re.sub(r"[^\w\s']", " ", text.lower())
    return BETWEEN_HAN.sub("", " ".join(text.split())) if language == "zh" else " ".join(text.split())


def worded(text: str, language: Language, rng: Random) -> str:
    """Return a text in one of the two wordings."""
    return typed(text, language, rng) if rng.random() < 0.5 else recognised(text, language)
