"""A turn with the voice assistant: speech or text in, text and speech out."""

import re
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from kuamo.capabilities.answer import answer
from kuamo.capabilities.chat import chat
from kuamo.capabilities.detect import detect
from kuamo.capabilities.speak import speak
from kuamo.capabilities.transcribe import transcribe
from kuamo.contracts import (
    Answer,
    ChatRequest,
    DetectRequest,
    Message,
    Request,
    Span,
    SpeakRequest,
    Speech,
    SpeechChunk,
    Trace,
    TranscribeRequest,
    Transcript,
)
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, join_audio
from kuamo.media.image import Image
from kuamo.media.text import clean_text, is_chinese
from kuamo.messages import language_of, say
from kuamo.runtime import Models
from kuamo.stream import Stream

REMEMBERED = 20  # messages of a conversation that go into its next turn
SENTENCE = re.compile(
    r".+?(?:[。！？；…]+[”’」』）]*|(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bvs)(?<!\b[A-Za-z])"
    r"[.!?]+[\"')\]”’]*(?=\s)|$)",
    re.DOTALL | re.MULTILINE,
)

SpanKind = TypeVar("SpanKind", bound=Span)


@dataclass(frozen=True, kw_only=True)
class TurnRequest(Request):
    """What is said to the assistant: a recording, or a text; a picture to talk about, and the conversation so far.

    `model` answers (a chat model, or with a picture in the conversation one that sees); `language` None is found.
    """

    audio: Audio | None = None
    text: str = ""
    image: Image | None = None
    history: tuple[Message, ...] = ()
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
class Turn:
    """A turn done; `heard` is None for text, its times are the recording's. `history` goes into the next request."""

    heard: Transcript | None
    reply: Answer
    speech: Speech
    history: tuple[Message, ...]

    @property
    def audio(self) -> Audio:
        """The reply as sound."""
        return self.speech.audio

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Every model that had a part, in order."""
        return (*(self.heard.traces if self.heard else ()), *self.reply.traces, *self.speech.traces)


Event = Heard | Said | Sounded


def talk(request: TurnRequest, models: Models) -> Stream[Event, Turn]:
    """Take a turn: Heard for a recording, the reply's text as Said, then its speech, sentence by sentence, as Sounded.

    Raises KuamoError heard_nothing for a recording without speech, text_empty or text_too_long for a text,
    reply_empty where the model says nothing, and what the models in use raise.
    """
    if request.audio is None:
        request = replace(request, text=clean_text(request.text, models.settings.limits))
    return Stream(_talk(request, models))


def _talk(request: TurnRequest, models: Models) -> Generator[Event, None, Turn]:
    heard = None
    text, language = request.text, request.language
    if request.audio is not None:
        heard = _hear(request.audio, request.language, models)
        language = language or heard.segments[0].language
        text = clean_text(heard.text, models.settings.limits)
        yield Heard(text, language)
    asked = Message("user", text, (request.image,) if request.image else ())
    conversation = (*request.history, asked)
    reply = yield from _reply(conversation, request.model, language, models)
    speech = yield from _speech(reply, request, language, models)
    history = (*conversation, Message("assistant", reply.text))[-REMEMBERED:]
    return Turn(heard, reply, speech, history)


def _hear(audio: Audio, language: str | None, models: Models) -> Transcript:
    """Write down what lies between the first and the last sound of speech."""
    detection = detect(DetectRequest(audio=audio), models)
    if not detection.spans:
        raise KuamoError("heard_nothing")
    start, end = detection.spans[0].start_seconds, detection.spans[-1].end_seconds
    spoken = TranscribeRequest(audio=audio.between(start, end), language=language)
    transcript = transcribe(spoken, models).result()
    segments = tuple(replace(part, words=_later(part.words, start)) for part in _later(transcript.segments, start))
    return Transcript(segments, (*detection.traces, *transcript.traces))


def _later(spans: Iterable[SpanKind], seconds: float) -> tuple[SpanKind, ...]:
    """Count times from an earlier start."""
    return tuple(
        replace(
            span,
            start_seconds=round(span.start_seconds + seconds, 3),
            end_seconds=round(span.end_seconds + seconds, 3),
        )
        for span in spans
    )


def _reply(
    conversation: tuple[Message, ...], model: str | None, language: str | None, models: Models
) -> Generator[Event, None, Answer]:
    """Have the conversation continued, by a model that sees where there is a picture in it."""
    if any(message.images for message in conversation):
        request = ChatRequest(messages=conversation, model=model, language=language)
        stream = answer(request, models)
    else:
        spoken_style = say("prompt.assistant", language_of(language or _written_in(conversation[-1].text)))
        messages = (Message("system", spoken_style), *conversation)
        stream = chat(ChatRequest(messages=messages, model=model, language=language), models)
    with closing(stream):
        for piece in stream:
            yield Said(piece)
    reply = stream.result()
    if not re.search(r"\w", reply.text):
        raise KuamoError("reply_empty", name=reply.traces[-1].model)
    return reply


def _speech(
    reply: Answer, request: TurnRequest, language: str | None, models: Models
) -> Generator[Event, None, Speech]:
    """Say a reply sentence by sentence, at the first one's sample rate."""
    chunks: list[SpeechChunk] = []
    traces: list[Trace] = []
    for sentence in sentences(reply.text):
        spoken = SpeakRequest(
            text=sentence, language=_spoken_in(sentence, language), voice=request.voice, speed=request.speed
        )
        began = sum(chunk.audio.seconds for chunk in chunks)
        with closing(speak(spoken, models)) as stream:
            for chunk in stream:
                rate = chunks[0].audio.sample_rate_hz if chunks else chunk.audio.sample_rate_hz
                chunks.append(SpeechChunk(chunk.audio.at(rate), _later(chunk.words, began)))
                yield Sounded(chunks[-1])
            traces += stream.result().traces
    words = tuple(word for chunk in chunks for word in chunk.words)
    return Speech(join_audio([chunk.audio for chunk in chunks]), words, _summed(traces))


def sentences(text: str) -> tuple[str, ...]:
    """Cut a text after its sentences, Chinese and English; what has no letter or digit in it is left out.

    A line's end ends one; a full stop does before white space, but not after a title or an initial ("Dr. A. Smith").
    """
    return tuple(part.strip() for part in SENTENCE.findall(text) if re.search(r"\w", part))


def _written_in(text: str) -> str:
    return "zh" if is_chinese(text) else "en"


def _spoken_in(sentence: str, language: str | None) -> str:
    """Return the language to say a sentence in: the conversation's, but Chinese and English by their letters."""
    written = _written_in(sentence)
    return written if language is None or language.split("-")[0] in {"zh", "en"} - {written} else language


def _summed(traces: list[Trace]) -> tuple[Trace, ...]:
    """Return one trace for each model, its seconds added up."""
    seconds: dict[Trace, float] = {}
    for trace in traces:
        alike = replace(trace, seconds=0.0)
        seconds[alike] = seconds.get(alike, 0.0) + trace.seconds
    return tuple(replace(trace, seconds=round(total, 3)) for trace, total in seconds.items())
