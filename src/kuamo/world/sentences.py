"""Sentences that are spoken in the small world: of its pictures, of the assistant's small talk, of any words."""

import re
from dataclasses import replace
from random import Random
from typing import Literal

from kuamo.engines.words import is_spoken, split_words, spoken_form
from kuamo.messages import Language
from kuamo.world.language import caption, questions
from kuamo.world.phrases import Intent, beyond, expand, intents
from kuamo.world.prompt import prompt
from kuamo.world.scene import belongs, make_scene
from kuamo.world.strangers import stranger_row, with_words
from kuamo.world.wording import NAMES, recognised, swapped, wrapped

Split = Literal["train", "held_out"]
LEAST_HELD_OUT = {"en": 4, "zh": 6}  # words or characters: the shortest sentences are too few to hold any out
MARKS = {"en": ("?", "."), "zh": ("？", "。")}
HAN = re.compile("[\u4e00-\u9fff]")
NEEDLESS_SPACE = re.compile("(?<![!-~]) | (?![!-~])")  # beside Chinese
ASKS = {
    "en": re.compile(
        r"\b(what|what's|which|who|who's|whose|where|where's|when|why|how|how's|do you|are you|can you|could you|"
        r"would you|is there|did you|have you)\b"
    ),
    "zh": re.compile("[吗呢什么几哪谁怎咋啥多少]|是不是|有没有|能不能|可不可以"),
}
KINDS = {"question": 22, "answer": 6, "caption": 10, "prompt": 14, "ask": 30, "say": 8, "topic": 8, "any words": 8}
"""How often each kind of sentence comes, of a hundred and six."""


def sentence(language: Language, split: Split, random: Random) -> str:
    """Return a sentence as it is written, numerals spelled out; `train` and `held_out` share none.

    A tenth of all sentences is held out, told by the words alone; those of less than LEAST_HELD_OUT words never are.
    """
    while True:
        kind = random.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        text = written(_drawn(kind, language, random), language)
        if _can_be_read(text, language) and split_of(text, language) == split:
            return text


def split_of(text: str, language: Language) -> Split:
    """Return the split of a sentence, whatever its capitals and marks."""
    said = recognised(text, language)
    if len(split_words(said)) < LEAST_HELD_OUT[language]:
        return "train"
    return "train" if belongs(said, "train") else "held_out"


def written(text: str, language: Language) -> str:
    """Return a text with its numerals spelled out, a capital, names' capitals and a mark at the end."""
    words = split_words(text)
    spelled = [spoken_form(word, language, after) for word, after in zip(words, [*words[1:], ""], strict=True)]
    if language == "en":
        text = " ".join(spelled)
        text = NAMES.sub(lambda match: match[0].capitalize(), text[:1].upper() + text[1:])
    else:
        text = NEEDLESS_SPACE.sub("", " ".join(spelled))
    if text[-1:] in (*MARKS[language], "!", "！"):
        return text
    return text.rstrip(",，;；:：") + MARKS[language][not ASKS[language].search(text.lower())]


def _can_be_read(text: str, language: Language) -> bool:
    return any(map(is_spoken, text)) and not (language == "en" and HAN.search(text))


def _drawn(kind: str, language: Language, random: Random) -> str:
    if kind in ("ask", "say"):
        return _small_talk(kind, language, random)
    if kind == "topic":
        topics = beyond().topics + beyond().further_topics
        return wrapped(expand(random.choice(random.choice(topics)[language]), random), language, random)
    if kind == "any words":
        return with_words(random.choice(beyond().frames[language]), language, random)
    return _of_a_picture(kind, language, random)


def _of_a_picture(kind: str, language: Language, random: Random) -> str:
    scene = make_scene(random.randrange(1_000_000))
    scene = replace(scene, things=scene.things[: random.choice((1, 1, 2, 3))])
    if kind == "caption":
        return caption(scene, language, random)
    if kind == "prompt":
        return prompt(scene, language, random).text
    asked = random.choice(questions(scene, language, random, 11))
    return asked.question if kind == "question" else asked.answer


def _small_talk(kind: str, language: Language, random: Random) -> str:
    chosen = random.choices(intents(), [intent.weight for intent in intents()])[0]
    if kind == "say":
        refused = random.random() < 0.1
        row = random.choice(chosen.rows)
        return random.choice(beyond().say[language] if refused else chosen.answers(language, row))
    return _asked(chosen, language, random)


def _asked(intent: Intent, language: Language, random: Random) -> str:
    lines = intent.ask[language] + intent.further[language]
    more = intent.more[language] + intent.more_further[language]
    line = expand(random.choice(more if more and random.random() < 0.15 else lines), random)
    line = swapped(wrapped(line, language, random), language, random)
    strange = intent.fields and not (intent.open or intent.computed) and random.random() < 0.15
    row = stranger_row(intent, "train", random) if strange else random.choice(intent.rows)
    return line.format(**{name: random.choice(ways) for name, ways in row.get(language, {}).items()})
