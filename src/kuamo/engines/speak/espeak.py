"""Speech by eSpeak NG: about a hundred languages, small and quick, with the exact times of its words."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from kuamo.contracts import Precision, SpeakRequest, SpeechChunk, Word
from kuamo.engines.espeak_library import (
    NORMAL,
    SAMPLE_RATE_HZ,
    Event,
    Kind,
    Utterance,
    say_sentence,
    voice_for,
    voice_named,
)
from kuamo.engines.words import HAN
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio

# A Han character, or a run of others up to white space or wide punctuation.
TOKEN = re.compile(
    rf"[{HAN}]|[^\s{HAN}\u3000-\u3004\u3008-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+"
)
OUTER = re.compile(r"^[^\w$€£¥%°+#@&]+|[^\w$€£¥%°+#@&]+$")
PAUSES = ("_", "_:", "_|", "_!")
VOWEL = re.compile(r"['%,=]*[aeiouyAEIOUVY03@&{]")


class Espeak:
    """eSpeak NG, the voices inside espeakng-loader's package."""

    device = "cpu"
    precision = "fp32"
    concurrent = True

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Return the engine; library and voices are opened by the first sentence."""
        return cls()

    def speak(self, request: SpeakRequest) -> Iterator[SpeechChunk]:
        """Speak sentence by sentence at 22.05 kHz; each Han character is a word of its own.

        `voice` is VOICE, VOICE+VARIANT or +VARIANT, as espeak names them. Speeds outside 0.46 to 2.57 (80 to 449
        words a minute) sound as the nearest of them. Raises KuamoError language_not_spoken, unknown_voice, or
        text_empty where nothing can be spoken.
        """
        language = request.language or "en"
        voice = voice_named(request.voice, language) if request.voice else voice_for(language)
        rest, samples = request.text.replace("\0", " "), 0
        while rest.strip():
            text = rest
            utterance = say_sentence(text, voice, round(NORMAL * request.speed))
            rest = utterance.rest
            if any(event.phoneme not in PAUSES for event in utterance.events if event.kind == Kind.PHONEME):
                yield _chunk(text[: len(text) - len(rest)], utterance, samples)
                samples += len(utterance.samples)
        if not samples:
            raise KuamoError("text_empty")


@dataclass(frozen=True)
class _Group:
    """Words that espeak speaks as one (mostly one word), and the events from its start on, up to the next group."""

    first: int
    last: int
    start: int
    events: tuple[Event, ...]


def _chunk(text: str, utterance: Utterance, offset: int) -> SpeechChunk:
    tokens = [token for token in TOKEN.finditer(text) if OUTER.sub("", token.group())]
    words = []
    for group in _groups(tokens, utterance.events):
        texts = [OUTER.sub("", token.group()) for token in tokens[group.first : group.last + 1]]
        bounds = [(offset + sample) / SAMPLE_RATE_HZ for sample in _bounds(texts, group)]
        words += [Word(round(a, 4), round(b, 4), text) for text, (a, b) in zip(texts, pairwise(bounds), strict=True)]
    samples = utterance.samples.astype(np.float32) / np.float32(32_768)
    return SpeechChunk(Audio(samples, SAMPLE_RATE_HZ), tuple(words))


def _groups(tokens: list[re.Match[str]], events: tuple[Event, ...]) -> list[_Group]:
    """Give each token the events from its word event on; tokens without one go with the token before them."""
    starts = [token.start() for token in tokens]
    heads: list[tuple[int, int]] = []  # token, place among the events
    for place, event in enumerate(events):
        token = bisect_right(starts, event.position) - 1
        if event.kind == Kind.WORD and token >= 0 and (not heads or token > heads[-1][0]):
            heads.append((token, place))
    if not heads:
        return []
    ends = [*heads[1:], (len(tokens), len(events))]
    return [
        _Group(token, following - 1, events[place].sample, events[place : end + 1])
        for (token, place), (following, end) in zip(heads, ends, strict=True)
    ]


def _bounds(texts: list[str], group: _Group) -> list[float]:
    """Return the n + 1 samples that bound n words: by syllables where their numbers agree, else by their letters."""
    phonemes = [event for event in group.events if event.kind == Kind.PHONEME]
    spoken = [index for index, event in enumerate(phonemes) if event.phoneme not in PAUSES]
    final = spoken[-1] + 1 if spoken else 0
    end = phonemes[final].sample if final < len(phonemes) else group.events[-1].sample
    onsets = _onsets(phonemes[:final])
    if len(onsets) == len(texts):
        return [group.start, *onsets[1:], end]
    shares = np.cumsum([0, *map(len, texts)]) / sum(map(len, texts))
    return [float(group.start + share * (end - group.start)) for share in shares]


def _onsets(phonemes: list[Event]) -> list[int]:
    """Return the samples at which syllables begin: at the consonant before each vowel (ŋ ends one, never begins it)."""
    onsets = []
    for before, event in pairwise([None, *phonemes]):
        if event is None or not VOWEL.match(event.phoneme):
            continue
        begins = before is not None and not VOWEL.match(before.phoneme) and before.phoneme not in (*PAUSES, "N")
        onsets.append(before.sample if before is not None and begins else event.sample)
    return onsets
