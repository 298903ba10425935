"""A turn with the voice assistant: speech or text in, text and speech out.

The reply is written in one thread and spoken in another, sentence by sentence, so that neither waits for the other.
"""

import re
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

from kuamo.capabilities.chat import chat
from kuamo.capabilities.conversation import AskRequest, Conversation, ask, recent
from kuamo.capabilities.conversation import Turn as Replied
from kuamo.capabilities.hear import hear, later, summed
from kuamo.capabilities.speak import speak
from kuamo.contracts import (
    Answer,
    ChatRequest,
    Message,
    Request,
    SpeakRequest,
    Speech,
    SpeechChunk,
    Trace,
    Transcript,
)
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, join_audio
from kuamo.media.image import Image
from kuamo.media.text import clean_text, is_chinese
from kuamo.messages import language_of, say
from kuamo.runtime import Models
from kuamo.stream import Stream, merged

SENTENCE = re.compile(
    r".+?(?:[。！？；…]+[”’」』）]*|(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bvs)(?<!\b[A-Za-z])"
    r"[.!?]+[\"')\]”’]*(?=\s)|$)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class TurnRequest(Request):
    """What is said to the assistant: a recording, or a text; a picture to talk about, and the conversation so far.

    A new picture begins a new conversation. `model` answers (a chat model, or with a picture one that sees);
    `language` None is found.
    """

    audio: Audio | None = None
    text: str = ""
    image: Image | None = None
    conversation: Conversation = field(default_factory=Conversation)
    voice: str | None = None
    speed: float = 1.0


@dataclass(frozen=True)
class Heard:
    """What was understood of a recording, and its language where known."""

    text: str
    language: str | None


@dataclass(frozen=True)
class Said:
    """A piece of the reply's text."""

    text: str


@dataclass(frozen=True)
class Sounded:
    """A piece of the reply's speech; its words' times count from the start of the reply."""

    chunk: SpeechChunk


@dataclass(frozen=True)
class Stages:
    """How long after the end of the input a turn was where, in seconds; `heard_seconds` is None for a text."""

    heard_seconds: float | None
    first_text_seconds: float
    first_sound_seconds: float


@dataclass(frozen=True)
class Turn:
    """A turn done; `heard` is None for text, its times are the recording's. `conversation` goes into the next."""

    heard: Transcript | None
    reply: Answer
    speech: Speech
    conversation: Conversation
    stages: Stages

    @property
    def audio(self) -> Audio:
        """The reply as sound."""
        return self.speech.audio

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Every model that had a part, in order."""
        return (*(self.heard.traces if self.heard else ()), *self.reply.traces, *self.speech.traces)


Event = Heard | Said | Sounded


@dataclass(frozen=True)
class _Watch:
    """When each kind of event came first, in seconds from the end of the input."""

    began: float = field(default_factory=time.perf_counter)
    first: dict[type, float] = field(default_factory=dict)

    def note(self, kind: type) -> None:
        self.first.setdefault(kind, round(time.perf_counter() - self.began, 3))

    def stages(self) -> Stages:
        return Stages(self.first.get(Heard), self.first[Said], self.first[Sounded])


def talk(request: TurnRequest, models: Models) -> Stream[Event, Turn]:
    """Take a turn: Heard for a recording, then the reply as Said and, sentence by sentence, as Sounded.

    Text and speech come as they are made: a sentence may be heard while the next is written. Closing the stream stops
    both, at the next token and the next piece of speech. Raises KuamoError heard_nothing for a recording without
    speech, text_empty or text_too_long for a text, reply_empty where the model says nothing, and what the models raise.
    """
    if request.audio is None:
        request = replace(request, text=clean_text(request.text, models.settings.limits))
    return Stream(_talk(request, models, _Watch()))


def _talk(request: TurnRequest, models: Models, watch: _Watch) -> Generator[Event, None, Turn]:
    heard = None
    if request.audio is not None:
        heard = hear(request.audio, request.language, models)
        language = request.language or heard.segments[0].language
        request = replace(request, text=clean_text(heard.text, models.settings.limits), language=language)
        watch.note(Heard)
        yield Heard(request.text, language)
    line: SimpleQueue[str | None] = SimpleQueue()
    replied, speech = yield from merged(_write(request, line, models, watch), _speak(request, line, models, watch))
    return Turn(heard, replied.reply, speech, replied.conversation, watch.stages())


def _write(
    request: TurnRequest, line: SimpleQueue[str | None], models: Models, watch: _Watch
) -> Generator[Event, None, Replied]:
    """Yield the reply as it is written, and put each sentence on the line once it is whole; in the end None."""
    rest = ""
    try:
        with closing(Stream(_reply(request, models))) as reply:
            for piece in reply:
                watch.note(Said)
                yield Said(piece)
                *whole, rest = SENTENCE.findall(rest + piece) or [""]
                for sentence in whole:
                    line.put(sentence)
            replied = reply.result()
        line.put(rest)
    finally:
        line.put(None)
    if not re.search(r"\w", replied.reply.text):
        raise KuamoError("reply_empty", name=replied.reply.traces[-1].model)
    return replied


def _reply(request: TurnRequest, models: Models) -> Generator[str, None, Replied]:
    """Have the conversation continued, by a model that sees where there is a picture."""
    if request.image is None:
        return (yield from _chat(request, request.conversation.messages, models))
    asked = AskRequest(
        image=request.image, question=request.text, conversation=request.conversation, model=request.model,
        language=request.language,
    )  # fmt: skip
    with closing(ask(asked, models)) as stream:
        yield from stream
        return stream.result()


def _chat(request: TurnRequest, earlier: tuple[Message, ...], models: Models) -> Generator[str, None, Replied]:
    """Chat in the style of speech; what was said earliest is forgotten where the model's window is too small."""
    style = say("prompt.assistant", language_of(request.language or _written_in(request.text)))
    said = (*earlier, Message("user", request.text))
    asked = ChatRequest(messages=(Message("system", style), *said), model=request.model, language=request.language)
    try:
        stream = chat(asked, models)
    except KuamoError as error:
        if error.code != "conversation_too_long" or not earlier:
            raise
        return (yield from _chat(request, earlier[2:], models))
    with closing(stream):
        yield from stream
        reply = stream.result()
    messages = recent((*said, Message("assistant", reply.text)), models.settings.limits.characters)
    return Replied(reply, Conversation(messages))


def _speak(
    request: TurnRequest, line: SimpleQueue[str | None], models: Models, watch: _Watch
) -> Generator[Event, None, Speech | None]:
    """Say the sentences on the line, at the first one's sample rate; None where there are none."""
    chunks: list[SpeechChunk] = []
    traces: list[Trace] = []
    for sentence in filter(_is_spoken, iter(line.get, None)):
        spoken = SpeakRequest(
            text=sentence, language=_spoken_in(sentence, request.language), voice=request.voice, speed=request.speed
        )
        began = sum(chunk.audio.seconds for chunk in chunks)
        with closing(speak(spoken, models)) as stream:
            for chunk in stream:
                rate = chunks[0].audio.sample_rate_hz if chunks else chunk.audio.sample_rate_hz
                chunks.append(SpeechChunk(chunk.audio.at(rate), later(chunk.words, began)))
                watch.note(Sounded)
                yield Sounded(chunks[-1])
            traces += stream.result().traces
    words = tuple(word for chunk in chunks for word in chunk.words)
    return Speech(join_audio([chunk.audio for chunk in chunks]), words, summed(traces)) if chunks else None


def _is_spoken(sentence: str) -> bool:
    return re.search(r"\w", sentence) is not None


def sentences(text: str) -> tuple[str, ...]:
    """Cut a text after its sentences, Chinese and English; what has no letter or digit in it is left out.

    A line's end ends one; a full stop does before white space, but not after a title or an initial ("Dr. A. Smith").
    """
    return tuple(part.strip() for part in filter(_is_spoken, SENTENCE.findall(text)))


def _written_in(text: str) -> str:
    return "zh" if is_chinese(text) else "en"


def _spoken_in(sentence: str, language: str | None) -> str:
    """Return the language to say a sentence in: the conversation's, but Chinese and English by their letters."""
    written = _written_in(sentence)
    return written if language is None or language.split("-")[0] in {"zh", "en"} - {written} else language
