"""Short spoken-style dialogues in English and Chinese, without end: what nano-chat is trained on and examined with.

Dialogue number n of a seed is always the same, so that a training run knows its place in the data by one number.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from random import Random
from typing import Literal

from kuamo.messages import Language
from kuamo.world.phrases import LANGUAGES, Intent, Row, Split, beyond, expand, expansions, held_to, intents, manner
from kuamo.world.strangers import stranger_row, too_large_row, with_words
from kuamo.world.wording import mistyped, recognised, swapped, unwrapped, worded, wrapped

Kind = Literal["in scope", "follow-up", "beyond"]
HELD_OUT: tuple[Split, ...] = ("validation", "test")
CONTEXT = ("repeat", "other_language")  # intents that mean the turn before, where there is one


@dataclass(frozen=True)
class Turn:
    """A question, the answer that is taught, and all answers that are right."""

    question: str
    answer: str
    right: tuple[str, ...]
    intent: str
    kind: Kind
    language: Language


@dataclass(frozen=True)
class Dialogue:
    """Turns under a system message, which may be empty."""

    system: str
    turns: tuple[Turn, ...]

    def messages(self) -> list[dict[str, str]]:
        """Return it as the messages that a chat template takes."""
        messages = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns:
            messages.append({"role": "user", "content": turn.question})
            messages.append({"role": "assistant", "content": turn.answer})
        return messages


@dataclass(frozen=True)
class Said:
    """What the assistant says: an answer of an intent for a row, or a refusal where there is none."""

    language: Language
    intent: Intent | None = None
    row: Row | None = None

    @property
    def right(self) -> tuple[str, ...]:
        """All ways to say it."""
        if self.intent is None or self.row is None:
            return beyond().say[self.language]
        return self.intent.answers(self.language, self.row)


class Talk:
    """A dialogue in the making: each method adds a turn, drawn from what its split may use."""

    def __init__(self, split: Split, rng: Random) -> None:
        self.split = split
        self.rng = rng
        self.turns: list[Turn] = []
        self.said: Said | None = None
        self.system = self._system()

    def dialogue(self) -> Dialogue:
        """Return what has been said."""
        return Dialogue(self.system, tuple(self.turns))

    def any_turn(self, language: Language) -> None:
        """Add a turn of any kind; half of the later turns refer to the one before."""
        before = self.said
        if before is None or self.rng.random() < 0.5:
            return self._fresh(language)
        if before.intent and self._can_go_on(before.intent, before.language) and self.rng.random() < 0.6:
            return self.go_on()
        return self.repeat() if self.rng.random() < 0.5 else self.change_language()

    def _fresh(self, language: Language) -> None:
        if self.rng.random() < 0.7:
            choice = self.rng.choices(intents(), _weights(first=self.said is None))[0]
            return self.ask(choice, language)
        kinds = [self.ask_topic, self.ask_stranger, self.ask_too_large]
        if self.split == "train":
            kinds.append(self.ask_any_words)
        self.rng.choices(kinds, (45, 25, 8, 22)[: len(kinds)])[0](language)

    def ask(self, intent: Intent, language: Language, line: str | None = None) -> None:
        """Ask for an intent, with any of its rows."""
        line = line or self._ask_of(intent, language)
        self._say(line, language, Said(language, intent, self.rng.choice(intent.rows)), intent.name, "in scope")

    def go_on(self, line: str | None = None) -> None:
        """Ask the same of another row ("and a dog?"), at times of one that the facts do not know."""
        assert self.said
        intent, language = self.said.intent, self.said.language
        assert intent
        line = line or self._line_of(intent.more[language], intent.more_further[language], language)
        if intent.fields and self.rng.random() < 0.15:
            return self._ask_unknown(intent, language, line)
        self._say(line, language, Said(language, intent, self.rng.choice(intent.rows)), intent.name, "follow-up")

    def repeat(self, line: str | None = None) -> None:
        """Ask for the last answer again."""
        assert self.said
        language, last = self.said.language, self.turns[-1].answer
        line = line or self._ask_of(_named("repeat"), language)
        self._say(line, language, self.said, "repeat", "follow-up", (last,))

    def change_language(self, line: str | None = None) -> None:
        """Ask for the last answer in the other language."""
        assert self.said
        language: Language = "en" if self.said.language == "zh" else "zh"
        line = line or self._ask_of(_named("other_language"), self.said.language)
        said = Said(language, self.said.intent, self.said.row)
        place = self.said.right.index(self.turns[-1].answer)
        answers = (said.right[place], *said.right)
        self._say(line, self.said.language, said, "other_language", "follow-up", answers)

    def ask_topic(self, language: Language, line: str | None = None) -> None:
        """Ask a question of a topic beyond; in training, at times with a word exchanged for any other."""
        self._say(line or self._topic_line(language), language, Said(language), "beyond: topics", "beyond")

    def ask_any_words(self, language: Language) -> None:
        """Ask about any words at all."""
        line = with_words(self.rng.choice(beyond().frames[language]), language, self.rng)
        self._say(line, language, Said(language), "beyond: any words", "beyond")

    def ask_stranger(self, language: Language) -> None:
        """Ask for a fact of something that the facts do not know."""
        intent = self.rng.choice([one for one in intents() if one.fields and not (one.open or one.computed)])
        self._ask_unknown(intent, language, self._ask_of(intent, language))

    def ask_too_large(self, language: Language) -> None:
        """Ask for a sum with numbers that are too large."""
        intent = self.rng.choice([one for one in intents() if one.computed])
        self._ask_unknown(intent, language, self._ask_of(intent, language))

    def _ask_unknown(self, intent: Intent, language: Language, line: str) -> None:
        row = too_large_row(intent, self.rng) if intent.computed else stranger_row(intent, self.split, self.rng)
        name = "beyond: numbers" if intent.computed else "beyond: strangers"
        self._say(line, language, Said(language), name, "beyond", row=row)

    def _say(
        self, line: str, language: Language, said: Said, intent: str, kind: Kind,
        right: tuple[str, ...] = (), row: Row | None = None,
    ) -> None:  # fmt: skip
        row = row or said.row
        line = self._vary(expand(line, self.rng), language)
        values = {name: self.rng.choice(ways) for name, ways in (row or {}).get(language, {}).items()}
        question = worded(line.format(**values), language, self.rng)
        answer = right[0] if right else self.rng.choice(said.right)
        self.turns.append(Turn(question, answer, right or said.right, intent, kind, language))
        self.said = said

    def _vary(self, line: str, language: Language) -> str:
        varied = wrapped(line, language, self.rng)
        if self.split != "train":
            return varied
        varied = swapped(varied, language, self.rng)
        if self.rng.random() < 0.25:
            varied = mistyped(varied, language, self.rng)
        return line if _is_held_out(varied, language) else varied

    def _can_go_on(self, intent: Intent, language: Language) -> bool:
        further = self.split == "train" and intent.more_further[language]
        return bool(further or held_to(intent.more[language], self.split))

    def _ask_of(self, intent: Intent, language: Language) -> str:
        return self._line_of(intent.ask[language], intent.further[language], language)

    def _line_of(self, lines: tuple[str, ...], further: tuple[str, ...], language: Language) -> str:
        own = held_to(lines, self.split)
        if self.split != "train":
            return self.rng.choice(own)
        while _is_held_out(line := expand(self.rng.choice(own + further), self.rng), language):
            pass
        return line

    def _topic_line(self, language: Language) -> str:
        topics = held_to(beyond().topics, self.split)
        if self.split != "train":
            return self.rng.choice(self.rng.choice(topics)[language])
        while True:
            topic = self.rng.choice(topics + beyond().further_topics)
            line = expand(self.rng.choice(topic[language]), self.rng)
            if self.rng.random() < 0.25:
                line = with_words(line, language, self.rng)
            if not _is_held_out(line, language):
                return line

    def _system(self) -> str:
        lines = held_to(manner()["system"][self.rng.choice(LANGUAGES)], self.split)
        count = self.rng.choices((0, 1, 2, 3), (60, 32, 6, 2))[0]
        return " ".join(self.rng.sample(lines, min(count, len(lines))))


def dialogue(split: Split, seed: int, number: int) -> Dialogue:
    """Return a dialogue of one to five turns; the same for the same split, seed and number."""
    talk = Talk(split, Random(f"{split}/{seed}/{number}"))
    main = talk.rng.choice(LANGUAGES)
    for _ in range(talk.rng.choices((1, 2, 3, 4, 5), (58, 25, 10, 5, 2))[0]):
        other = talk.rng.random() < 0.1
        talk.any_turn(talk.rng.choice(LANGUAGES) if other else main)
    return talk.dialogue()


def examination(split: Split, seed: int, samples: int) -> Iterator[Dialogue]:
    """Yield dialogues whose last turn is a question with a line, a topic or a word that only `split` has.

    Each line is asked `samples` times, with other rows, wordings and system messages.
    """
    for language in LANGUAGES:
        for place, question in enumerate(_questions(split, language, samples)):
            talk = Talk(split, Random(f"examination/{split}/{seed}/{language}/{place}"))
            question(talk)
            yield talk.dialogue()


def _questions(split: Split, language: Language, samples: int) -> Iterator[Callable[[Talk], None]]:
    for intent in intents():
        for line in held_to(intent.ask[language], split) * samples:
            yield partial(Talk.ask, intent=intent, language=language, line=line)
        for line in held_to(intent.more[language], split) * samples:
            yield partial(_after, intent=intent, language=language, step=partial(Talk.go_on, line=line))
    for name, step in zip(CONTEXT, (Talk.repeat, Talk.change_language), strict=True):
        for line in held_to(_named(name).ask[language], split) * samples * 5:
            yield partial(_after, intent=None, language=language, step=partial(step, line=line))
    for topic in held_to(beyond().topics, split):
        for line in topic[language] * samples:
            yield partial(Talk.ask_topic, language=language, line=line)
    for _ in range(40 * samples):
        yield partial(Talk.ask_stranger, language=language)
        yield partial(Talk.ask_too_large, language=language)


def _after(talk: Talk, intent: Intent | None, language: Language, step: Callable[[Talk], None]) -> None:
    talk.ask(intent or talk.rng.choice(intents()), language)
    step(talk)


def _is_held_out(line: str, language: Language) -> bool:
    return not _held_out(language).isdisjoint(unwrapped(recognised(line, language), language))


@cache
def _held_out(language: Language) -> frozenset[str]:
    lists = [lines for intent in intents() for lines in (intent.ask[language], intent.more[language])]
    held = [line for lines in lists for split in HELD_OUT for line in held_to(lines, split)]
    held += [line for split in HELD_OUT for topic in held_to(beyond().topics, split) for line in topic[language]]
    return frozenset(recognised(wording, language) for line in held for wording in expansions(line))


@cache
def _named(name: str) -> Intent:
    return next(intent for intent in intents() if intent.name == name)


@cache
def _weights(first: bool) -> tuple[int, ...]:
    return tuple(intent.weight if first or intent.name not in CONTEXT else 0 for intent in intents())
