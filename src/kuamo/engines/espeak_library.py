"""eSpeak NG through its C interface: the library and data that espeakng-loader carries (GPL-3, loaded at run time).

Its state is global to the process, so one lock guards every call. Interface: speak_lib.h of eSpeak NG 1.52.
"""

import ctypes
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuamo.errors import KuamoError

SAMPLE_RATE_HZ = 22_050
SLOWEST, NORMAL, FASTEST = 80, 175, 449  # words a minute; faster, the events run ahead of the sound
SYNCHRONOUS, PHONEME_EVENTS, DO_NOT_EXIT = 2, 0x0001, 0x8000
UTF8, IPA, RATE = 1, 0x02, 1
# Where several voices call a language theirs and the first is not the one meant.
PREFERRED = {"en": "en-us", "zh-hk": "yue", "zh-mo": "yue"}

_lock = threading.RLock()
_voice_now = ""


class Kind(IntEnum):
    """What an event tells."""

    WORD = 1
    SENTENCE = 2
    END_OF_CLAUSE = 5
    PHONEME = 7


@dataclass(frozen=True)
class Event:
    """Something that begins at a sample; `position` is a character of the text, counted from 0."""

    kind: int
    position: int
    sample: int
    phoneme: str


@dataclass(frozen=True)
class Utterance:
    """The first sentence of a text, spoken: 16-bit samples at 22.05 kHz; `rest` is what is still to be said."""

    samples: NDArray[np.int16]
    events: tuple[Event, ...]
    rest: str


@dataclass(frozen=True)
class Voice:
    """A voice or a variant (the colour of a voice), with its languages: tag and rank, 1 the best."""

    name: str
    identifier: str
    languages: tuple[tuple[str, int], ...]


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("kind", ctypes.c_ubyte * 4),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


def voice_for(language: str) -> str:
    """Return the voice of a BCP 47 language, its subtags dropped from the right until one is known.

    Raises KuamoError language_not_spoken.
    """
    tag = language.lower().replace("_", "-")
    while tag:
        if found := _by_tag(PREFERRED.get(tag, tag)):
            return found
        tag = tag.rpartition("-")[0]
    raise KuamoError("language_not_spoken", language=language)


def voice_named(name: str, language: str) -> str:
    """Return what espeak loads for VOICE, VOICE+VARIANT or +VARIANT (the language's own voice, coloured).

    VOICE is a name, an identifier or a language; VARIANT a name or an identifier without "!v/". Raises KuamoError
    unknown_voice for all that is not in espeak's lists, so that no name reaches another file.
    """
    base, plus, variant = (part.strip().lower() for part in name.partition("+"))
    voice = _by_name(_voices(None), base) or _by_tag(base) if base else voice_for(language)
    colour = _by_name(_voices("variant"), variant) or _by_name(_voices("variant"), f"!v/{variant}")
    if voice is None or (plus and colour is None):
        raise KuamoError("unknown_voice", name=name)
    return f"{voice}+{colour.removeprefix('!v/')}" if colour and plus else voice


def variants() -> tuple[str, ...]:
    """Return the variants' identifiers, as they stand after the + of a voice."""
    return tuple(voice.identifier.removeprefix("!v/") for voice in _voices("variant"))


def say_sentence(text: str, voice: str, words_per_minute: int) -> Utterance:
    """Speak the first sentence of a text, as espeak divides it. `voice` comes from voice_for or voice_named."""
    blocks: list[bytes] = []
    events: list[Event] = []
    following: list[Event] = []

    def hear(wave: int | None, count: int, raised: Any) -> int:
        if wave and count:
            blocks.append(ctypes.string_at(wave, count * 2))
        for event in _until_end(raised):
            if event.kind == Kind.SENTENCE and event.position > 0:
                following.append(event)
                return 1
            events.append(event)
        return 0

    with _lock:
        library = _prepared(voice)
        library.espeak_SetParameter(RATE, min(max(words_per_minute, SLOWEST), FASTEST), 0)
        callback = _Callback(hear)
        library.espeak_SetSynthCallback(callback)
        data = text.encode() + b"\0"
        library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, UTF8, None, None)
    samples = np.frombuffer(b"".join(blocks), np.int16)
    if not following:
        return Utterance(samples, tuple(events), "")
    return Utterance(samples[: following[0].sample], tuple(events), text[following[0].position :])


def phonemes_of(text: str, voice: str) -> tuple[str, ...]:
    """Return the IPA phonemes of a text, stress marks and all; none where espeak says nothing."""
    with _lock:
        library = _prepared(voice)
        pointer = ctypes.c_void_p(ctypes.cast(ctypes.create_string_buffer(text.encode()), ctypes.c_void_p).value)
        clauses = []
        while pointer.value:
            clauses.append(library.espeak_TextToPhonemes(ctypes.byref(pointer), UTF8, IPA | ord("_") << 8))
    joined = "_".join(clause.decode().replace(" ", "_") for clause in clauses if clause)
    return tuple(filter(None, joined.split("_")))


def _until_end(events: Any) -> Iterator[Event]:
    index = 0
    while events[index].type:
        raw = events[index]
        phoneme = raw.id.decode(errors="replace") if raw.type == Kind.PHONEME else ""
        yield Event(raw.type, raw.text_position - 1, raw.sample, phoneme)
        index += 1


@cache
def _library() -> Any:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, data, PHONEME_EVENTS | DO_NOT_EXIT)
    assert rate == SAMPLE_RATE_HZ, rate
    return library


def _prepared(voice: str) -> Any:
    """Return the library with that voice. It is set only when it changes: each time queues an event, of which the
    next sentence can take no more than a few before it loses its own."""
    global _voice_now
    library = _library()
    if voice != _voice_now:
        status = library.espeak_SetVoiceByName(voice.encode())
        assert status == 0, voice
        _voice_now = voice
    return library


@cache
def _voices(language: str | None) -> tuple[Voice, ...]:
    wanted = None
    if language:
        tags = ctypes.create_string_buffer(language.encode())
        wanted = ctypes.byref(_Voice(languages=ctypes.cast(tags, ctypes.c_void_p)))
    with _lock:
        listed = _library().espeak_ListVoices(wanted)
        found: list[Voice] = []
        while listed[len(found)]:
            found.append(_voice(listed[len(found)].contents))
    return tuple(found)


def _voice(raw: _Voice) -> Voice:
    languages = []
    place = raw.languages
    while (rank := ctypes.string_at(place, 1)[0]) != 0:
        tag = ctypes.string_at(place + 1)
        languages.append((tag.decode(), rank))
        place += len(tag) + 2
    return Voice(raw.name.decode(), raw.identifier.decode(), tuple(languages))


def _by_name(voices: tuple[Voice, ...], name: str) -> str | None:
    same = (voice.identifier for voice in voices if name in (voice.name.lower(), voice.identifier.lower()))
    return next(same, None)


def _by_tag(tag: str) -> str | None:
    ranked = [(rank, voice.identifier) for voice in _voices(None) for known, rank in voice.languages if known == tag]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None
