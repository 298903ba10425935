"""A question that names a label on a picture, answered from the text read there; any other is left to a model."""

import re
import unicodedata
from collections import ChainMap
from dataclasses import dataclass

from rapidfuzz import fuzz

from kuamo.capabilities.layout import Pair, find_headings, find_pairs
from kuamo.capabilities.vocabulary import Found, search, spell, vocabulary
from kuamo.contracts import Line
from kuamo.media.text import is_chinese

LONGEST_QUESTION = 300  # characters; what is longer asks for more than a value
SLIP = 85  # percent; one letter wrong in a typed word of seven

POLITE = re.compile(
    r"^\W*(?:(?:can|could|would|will|do) you (?:please |kindly )?(?:tell|give|show|read|say|find|know|see)\b"
    r"|(?:能|可以|能否|可否|能不能|可不可以)?(?:请)?你?(?:能|可以|能否|可否|能不能|可不可以)(?:帮我|给我|请)?(?:告诉我?|看看|看一?下|读|说|查)"
    r"|你?知道)",
    re.IGNORECASE,
)
YES_OR_NO = re.compile(
    r"^\W*(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|am|may)\b"
    r"|吗\W*$|是不是|是否|有没有|对不对|能不能|可不可以|对吗",
    re.IGNORECASE,
)
COUNTING = re.compile(r"how many|几个|多少个|几位|多少位", re.IGNORECASE)
PERSON_OR_TIME = re.compile(r"\b(?:who|whose|when)\b|谁|何时|什么时候", re.IGNORECASE)
JOINED = re.compile(r"\b(?:and|also|plus|or)\b|[,;?&/+，、；？。]|和|与|及|还有|并|跟|另外", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """What the labels say: the text of the answer, and the lines that hold its values."""

    text: str
    places: tuple[Line, ...]


def answer_from_labels(question: str, lines: tuple[Line, ...]) -> Reply | None:
    """Answer a question in Chinese or English from "label: value" pairs on a picture.

    Each word of the question must be accounted for: by a label on the picture (as printed, or by a word of the same
    meaning in the other language), by a word that only asks, or by a heading of the picture. One label gives its value
    alone; several, joined by "and", a comma and the like, give "label: value; label: value". None in all other cases,
    yes-or-no questions among them.
    """
    question = unicodedata.normalize("NFKC", question).strip()
    if len(question) > LONGEST_QUESTION or _is_yes_or_no(question):
        return None
    pairs = find_pairs(lines)
    wanted = _labels_in(question, pairs, find_headings(lines, pairs))
    found = [_choose(phrase, pairs) for phrase in wanted]
    answers = [pair for pair in found if pair is not None]
    if not answers or len(answers) < len(found) or not all(_fits(question, pair) for pair in answers):
        return None
    places = tuple({id(pair.place): pair.place for pair in answers}.values())
    if len(answers) == 1:
        return Reply(answers[0].value, places)
    return Reply("; ".join(f"{pair.label}: {pair.value}" for pair in answers), places)


def _is_yes_or_no(question: str) -> bool:
    polite = POLITE.match(question)
    if polite:
        question = re.sub(r"吗\W*$", "", question[polite.end() :])
    return bool(YES_OR_NO.search(question))


def _labels_in(question: str, pairs: tuple[Pair, ...], headings: tuple[str, ...]) -> list[Found]:
    """Return the labels that a question names, in order; none where any of its words is left unexplained."""
    words = vocabulary()
    printed = {key: key for pair in pairs if len(key := spell(pair.label).key) > 1 and not key.isdigit()}
    printed = {key: key for key in printed if key not in words.fillers}
    found, rest = search(spell(question), ChainMap(printed, words.questions))
    named = [phrase for phrase in found if phrase.meaning]
    if not named and rest:
        return _nearly(question, rest, printed)
    named = _without_context(named, pairs, headings)
    if any(not _is_printed(word, headings) for word in rest) or not _are_joined(question, named):
        return []
    return list({_meaning(phrase): phrase for phrase in named}.values())


def _meaning(phrase: Found) -> str:
    return vocabulary().terms.get(phrase.key, phrase.meaning)


def _nearly(question: str, rest: list[str], printed: dict[str, str]) -> list[Found]:
    """Take a mistyped name of a printed label, if only one is near."""
    typed = "".join(rest)
    near = [key for key in printed if len(key) >= 5 and fuzz.ratio(typed, key) >= SLIP]
    return [Found(near[0], near[0], 0, len(question))] if len(near) == 1 else []


def _without_context(named: list[Found], pairs: tuple[Pair, ...], headings: tuple[str, ...]) -> list[Found]:
    """Drop what a heading names and no label does: "Wi-Fi" on a ticket headed "WiFi Internet Service"."""
    kept = [phrase for phrase in named if _choose(phrase, pairs) or not _is_printed(phrase.key, headings)]
    return kept if len(named) > 1 else named


def _is_printed(word: str, headings: tuple[str, ...]) -> bool:
    """Whether a heading holds a word, or one of its group."""
    words = vocabulary()
    spelled = [spell(heading) for heading in headings]
    if is_chinese(word):
        whole = len(word) > 1 and any(word in heading.key for heading in spelled)
    else:
        whole = any(search(heading, {word: word})[0] for heading in spelled)
    group = words.terms.get(word)
    return whole or any(
        group is not None and group == phrase.meaning
        for heading in spelled
        for phrase in search(heading, words.questions)[0]
    )


def _are_joined(question: str, named: list[Found]) -> bool:
    text = spell(question).text
    return all(
        JOINED.search(text[first.end : second.start]) or _meaning(first) == _meaning(second)
        for first, second in zip(named, named[1:], strict=False)
    )


def _choose(phrase: Found, pairs: tuple[Pair, ...]) -> Pair | None:
    """Return the pair whose label is meant: as printed, then of the group, then of the groups that may serve."""
    exact = [pair for pair in pairs if spell(pair.label).key == phrase.key]
    if exact:
        return _single(exact)
    words = vocabulary()
    group = words.groups.get(_meaning(phrase))
    for name in (group.name, *group.instead) if group else ():
        alike = [pair for pair in pairs if words.group_of(pair.label) == name]
        if alike:
            best = min(words.rank(pair.label) for pair in alike)
            return _single([pair for pair in alike if words.rank(pair.label) == best])
    return None


def _single(pairs: list[Pair]) -> Pair | None:
    """Return the pair, unless the same label stands beside different values."""
    return pairs[0] if len({pair.value for pair in pairs}) == 1 else None


def _fits(question: str, pair: Pair) -> bool:
    """Whether a value can answer this kind of question: a count has digits; who and when ask for known labels only."""
    if COUNTING.search(question) and not re.search(r"\d", pair.value):
        return False
    return not PERSON_OR_TIME.search(question) or vocabulary().group_of(pair.label) is not None
