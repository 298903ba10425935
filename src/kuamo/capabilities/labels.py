"""A question that names a label on a picture, answered from the text read there; any other is left to a model."""

import re
import unicodedata
from collections import ChainMap
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import fuzz

from kuamo.capabilities.layout import Pair, find_headings, find_pairs
from kuamo.capabilities.vocabulary import Found, Spelling, search, spell, vocabulary
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
COUNTING = re.compile(r"how many|how much|how old|几个|几位|多少[个位钱]|多久|多长|多大|几岁", re.IGNORECASE)
PERSON = re.compile(r"\b(?:who|whose)\b|谁", re.IGNORECASE)
TIME = re.compile(r"\bwhen\b|何时|什么时候", re.IGNORECASE)
JOINED = re.compile(r"\b(?:and|also|plus|or)\b|[,;?&/+，、；？。]|和|与|及|还有|并|跟|另外", re.IGNORECASE)

GENERAL = ("price", "date", "time")  # groups whose asks ("how much", "which day") fit other labels too


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
    named = _without_general_asks(question, named)
    values = tuple(pair.value for pair in pairs if words.group_of(pair.label))
    if any(not (_is_printed(word, headings) or _is_part(word, values)) for word in rest) or not _are_joined(
        question, named
    ):
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
    """Drop what only says where and labels nothing: a thing ("phone"), a heading's word ("Wi-Fi" on its ticket)."""
    idle = vocabulary().fillers
    kept = [
        phrase
        for phrase in named
        if _choose(phrase, pairs) or not (phrase.key in idle or _is_printed(phrase.key, headings))
    ]
    return kept if len(named) > 1 else named


def _is_printed(word: str, headings: tuple[str, ...]) -> bool:
    """Whether a heading holds a word, or one of its group."""
    words = vocabulary()
    group = words.terms.get(word)
    spelled = [spell(heading) for heading in headings]
    named = {phrase.meaning for heading in spelled for phrase in search(heading, words.questions)[0]}
    return any(_holds(heading, word) for heading in spelled) or (group is not None and group in named)


def _holds(text: Spelling, word: str) -> bool:
    """Whether a text has a word: whole in Latin letters, two characters at least in Chinese."""
    if is_chinese(word):
        return len(word) > 1 and word in text.key
    return bool(search(text, {word: word})[0])


def _is_part(word: str, values: tuple[str, ...]) -> bool:
    """Whether a word is in a value but is not all of it: "iPhone" in "iPhone 15 Pro", "Li" in "Li Ming"."""
    return any(value.key != word and _holds(value, word) for value in map(spell, values))


def _without_general_asks(question: str, named: list[Found]) -> list[Found]:
    """Drop "how much" beside the label it asks for: "合计多少钱", but not in "the age, and how much is it?"."""
    general = [phrase for phrase in named if phrase.meaning in GENERAL and phrase.key not in vocabulary().terms]
    if len(named) == 2 and len(general) == 1 and not _are_joined(question, named):
        return [phrase for phrase in named if phrase not in general]
    return named


def _are_joined(question: str, named: list[Found]) -> bool:
    text = spell(question).text
    return all(
        JOINED.search(text[first.end : second.start]) or _meaning(first) == _meaning(second)
        for first, second in pairwise(named)
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
    """Whether a value can answer such a question: a count has digits, a person none; labels of no group are neither."""
    digits = bool(re.search(r"\d", pair.value))
    person, time = bool(PERSON.search(question)), bool(TIME.search(question))
    if (COUNTING.search(question) and not digits) or (person and digits):
        return False
    return not (person or time) or vocabulary().group_of(pair.label) is not None
