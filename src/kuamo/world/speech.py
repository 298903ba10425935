"""The small world aloud: its sentences in Chinese and English by many synthetic voices, with exact times, without end.

Utterance number n of a split is always the same sentence by the same voice; eSpeak NG's own flutter and breath are not
the same twice, which moves its words by less than a millisecond or two. `held_out` has other sentences and other voices
than `train`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random

import numpy as np

from kuamo.contracts import SpeakRequest, Word
from kuamo.engines.espeak_library import variants
from kuamo.engines.speak.espeak import Espeak
from kuamo.engines.words import split_words
from kuamo.media.audio import Audio, join_audio
from kuamo.messages import Language
from kuamo.world.phrases import LANGUAGES
from kuamo.world.recording import RATE_HZ, recorded
from kuamo.world.sentences import Split, sentence

SPEEDS = (0.75, 1.35)  # of espeak's 175 words a minute
STRETCH = (0.92, 1.08)  # played faster or slower, pitch and all (speed perturbation, Ko et al. 2015)
SILENCE_SECONDS = (0.05, 0.8)  # before and after
HELD_OUT_EACH = 8
# Accents by how often they are heard. The one without a variant is the one that Kuamo speaks with.
ACCENTS: dict[Language, dict[str, int]] = {
    "en": {"en-us": 8, "en-gb": 5, "en-gb-x-rp": 2, "en-gb-scotland": 1, "en-029": 1, "en-us-nyc": 1},
    "zh": {"cmn": 1},
}
PLAIN = 0.1


@dataclass(frozen=True)
class Utterance:
    """A sentence spoken, mono at 16 kHz; `words` are its words (Chinese characters) as written, marks with them."""

    audio: Audio
    text: str
    language: Language
    words: tuple[Word, ...]
    voice: str


def utterance(number: int, split: Split = "train", language: Language | None = None) -> Utterance:
    """Return the sentence of that number, spoken in silence: no room, no noise, nothing before or after it."""
    random = Random(f"speech/{split}/{number}")
    language = language or LANGUAGES[number % 2]
    while True:
        text, voice = sentence(language, split, random), _voice(language, split, random)
        spoken = _spoken(text, language, voice, random.uniform(*SPEEDS), random.uniform(*STRETCH))
        if spoken:
            return spoken


def in_places(spoken: Utterance, random: Random) -> Utterance:
    """Return an utterance as recorded somewhere: silence around it, then room, noise, telephone and level by chance."""
    before, after = (round(random.uniform(*SILENCE_SECONDS) * RATE_HZ) for _ in range(2))
    samples = recorded(np.pad(spoken.audio.samples, (before, after)), random)
    return replace(spoken, audio=Audio(samples, RATE_HZ), words=shifted(spoken.words, before / RATE_HZ))


def speech(split: Split = "train", first: int = 0) -> Iterator[Utterance]:
    """Yield utterances as recorded somewhere, from number `first` on, without end."""
    while True:
        yield in_places(utterance(first, split), Random(f"place/{split}/{first}"))
        first += 1


def shifted(words: tuple[Word, ...], seconds: float) -> tuple[Word, ...]:
    """Return words that come so much later."""
    return tuple(
        replace(word, start_seconds=word.start_seconds + seconds, end_seconds=word.end_seconds + seconds)
        for word in words
    )


@cache
def voices_of(split: Split) -> tuple[str, ...]:
    """Return the variants (colours of a voice) of a split: every eighth is held out."""
    names = sorted(variants(), key=str.lower)
    return tuple(name for place, name in enumerate(names) if (place % HELD_OUT_EACH == 3) == (split == "held_out"))


def _voice(language: Language, split: Split, random: Random) -> str:
    accents = ACCENTS[language]
    accent = random.choices(tuple(accents), tuple(accents.values()))[0]
    if split == "train" and random.random() < PLAIN:
        return accent
    return f"{accent}+{random.choice(voices_of(split))}"


def _spoken(text: str, language: Language, voice: str, speed: float, stretch: float) -> Utterance | None:
    """Return a text spoken; None where espeak's words are not those of the text (a sign read as several, say)."""
    engine = Espeak.load("", device="cpu", precision="fp32")
    chunks = list(engine.speak(SpeakRequest(text=text, language=language, voice=voice, speed=speed)))
    times = [word for chunk in chunks for word in chunk.words]
    words = split_words(text)
    if len(times) != len(words):
        return None
    spoken = join_audio([chunk.audio for chunk in chunks])
    audio = Audio(spoken.samples, round(spoken.sample_rate_hz * stretch)).at(RATE_HZ)
    real = spoken.sample_rate_hz / round(spoken.sample_rate_hz * stretch)
    timed = (
        Word(round(time.start_seconds * real, 4), round(time.end_seconds * real, 4), word)
        for time, word in zip(times, words, strict=True)
    )
    return Utterance(audio, text, language, tuple(timed), voice)
