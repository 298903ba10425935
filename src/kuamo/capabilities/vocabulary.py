"""The words that label values, in Chinese and English: labels.toml read once, and texts searched for its terms."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from rapidfuzz import fuzz, process

from kuamo.media.text import is_chinese

ALIKE = 88  # percent; labels are a few letters long, so one slip of the reader in eight
FUZZY_LENGTH = 6  # shorter keys are too close to each other


@dataclass(frozen=True)
class Spelling:
    """A text and its key: letters and digits in lower case, without spaces, punctuation, plural s and 的.

    `starts` and `ends` say where each character of the key lies in `text` (NFKC).
    """

    text: str
    key: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def breaks(self, index: int) -> bool:
        """Whether a word can begin or end before the key's character `index`."""
        if index in (0, len(self.key)) or self.ends[index - 1] != self.starts[index]:
            return True
        before, after = self.key[index - 1], self.key[index]
        return is_chinese(before + after) or before.isdigit() != after.isdigit()


@cache
def spell(text: str) -> Spelling:
    """Return the spelling of a text, so that "Shared Users：", "sharedusers" and "Shared user" have one key."""
    text = unicodedata.normalize("NFKC", text)
    places = []
    for word in re.finditer(r"[^\W_]+", text):
        end = word.end() - len(word.group()) + len(_singular(word.group()))
        places += [(index, index + 1) for index in range(word.start(), end) if text[index] != "的"]
        if places and end < word.end():
            places[-1] = (places[-1][0], word.end())
    lower = "".join(text[start].lower()[0] for start, _ in places)
    return Spelling(text, lower, tuple(start for start, _ in places), tuple(end for _, end in places))


def _singular(word: str) -> str:
    return word[:-1] if re.search(r"[a-z]{3}(?<![sui])s$", word, re.IGNORECASE) else word


@dataclass(frozen=True)
class Group:
    """Labels of one meaning: `terms` printed and asked, the preferred first; `instead`: the groups that may serve."""

    name: str
    terms: tuple[str, ...]
    asks: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A phrase of the lexicon in a text: what the lexicon says of it, its key, and where in the text it lies."""

    meaning: str
    key: str
    start: int
    end: int


class Vocabulary:
    """The groups of labels.toml with their terms by key, the words that fill questions, and those on buttons."""

    def __init__(self, table: Mapping[str, object]) -> None:
        rows: Mapping[str, Mapping[str, list[str]]] = table["group"]  # type: ignore[assignment]
        self.groups = {
            name: Group(name, **{key: tuple(value) for key, value in row.items()}) for name, row in rows.items()
        }
        self.actions = frozenset(spell(word).key for word in table["actions"])  # type: ignore[attr-defined]
        self.fillers = frozenset(spell(word).key for word in table["fillers"])  # type: ignore[attr-defined]
        self.terms = {spell(term).key: group.name for group in self.groups.values() for term in group.terms}

    @cached_property
    def questions(self) -> dict[str, str]:
        """Every phrase that a question may hold by its key: the name of its group, "" for a filler."""
        asks = {spell(ask).key: group.name for group in self.groups.values() for ask in group.asks}
        return {**dict.fromkeys(self.fillers, ""), **asks, **self.terms}

    @cache  # noqa: B019 - one vocabulary lives as long as the process
    def group_of(self, label: str) -> str | None:
        """Return the group that a printed label belongs to: by its key, its parts, or a key spelt nearly so."""
        key = spell(label).key
        plain = spell(re.sub(r"[(（\[【].*?[)）\]】]", "", label)).key
        for candidate in filter(None, (key, plain)):
            if candidate in self.terms:
                return self.terms[candidate]
        found, rest = search(spell(label), self.questions)
        meanings = {phrase.meaning for phrase in found} - {""}
        if len(meanings) == 1 and not rest:
            return meanings.pop()
        return self._nearly(key)

    def _nearly(self, key: str) -> str | None:
        if len(key) < FUZZY_LENGTH or is_chinese(key):
            return None
        best = process.extractOne(key, self.terms, scorer=fuzz.ratio, score_cutoff=ALIKE, processor=None)
        near = [term for term in self.terms if fuzz.ratio(key, term) >= ALIKE] if best else []
        groups = {self.terms[term] for term in near}
        return groups.pop() if len(groups) == 1 else None

    def rank(self, label: str) -> int:
        """Return how far down its group's list a printed label stands; labels outside the list come last."""
        group = self.groups[self.group_of(label) or ""]
        keys = [spell(term).key for term in group.terms]
        key = spell(label).key
        return keys.index(key) if key in keys else len(keys)

    def prefix(self, text: str) -> tuple[str, str] | None:
        """Split "系统版本17.4.1" after the longest term that begins it; None where none does or nothing follows."""
        spelled = spell(text)
        for length in range(len(spelled.key) - 1, 1, -1):
            if spelled.breaks(length) and spelled.key[:length] in self.terms:
                return spelled.text[: spelled.ends[length - 1]].strip(), spelled.text[
                    spelled.ends[length - 1] :
                ].strip()
        return None


def search(spelled: Spelling, lexicon: Mapping[str, str]) -> tuple[list[Found], list[str]]:
    """Find the lexicon's phrases in a text, longest first from the left; return them and the words left over."""
    found: list[Found] = []
    rest: list[int] = []
    longest = max(map(len, lexicon))
    index = 0
    while index < len(spelled.key):
        length = _longest(spelled, index, lexicon, longest)
        if length:
            key = spelled.key[index : index + length]
            found.append(Found(lexicon[key], key, spelled.starts[index], spelled.ends[index + length - 1]))
        else:
            rest.append(index)
        index += length or 1
    return found, _words(spelled, rest)


def _longest(spelled: Spelling, index: int, lexicon: Mapping[str, str], longest: int) -> int:
    if not spelled.breaks(index):
        return 0
    for length in range(min(longest, len(spelled.key) - index), 0, -1):
        if spelled.key[index : index + length] in lexicon and spelled.breaks(index + length):
            return length
    return 0


def _words(spelled: Spelling, indices: list[int]) -> list[str]:
    words: list[str] = []
    for position, index in enumerate(indices):
        follows = position and indices[position - 1] == index - 1
        apart = spelled.breaks(index) and not is_chinese(spelled.key[index - 1 : index + 1])
        if follows and not apart:
            words[-1] += spelled.key[index]
        else:
            words.append(spelled.key[index])
    return words


@cache
def vocabulary() -> Vocabulary:
    """Return the built-in vocabulary."""
    text = resources.files("kuamo.capabilities").joinpath("labels.toml").read_text(encoding="utf-8")
    return Vocabulary(tomllib.loads(text))
