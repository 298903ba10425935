"""Speech to text, over OpenAI's protocol: POST /v1/audio/transcriptions and /v1/audio/translations."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response, UploadFile
from fastapi import Form as FormField
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from kuamo.api.events import EVENTS, event, finished, sent
from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.names import model_of
from kuamo.api.wire import supported
from kuamo.capabilities.timing import to_srt, to_vtt
from kuamo.capabilities.transcribe import transcribe
from kuamo.contracts import Segment, TranscribeRequest, Transcript, Word, join_text
from kuamo.errors import KuamoError
from kuamo.media.audio import read_audio
from kuamo.runtime import Models
from kuamo.stream import Stream

Form = Literal["json", "text", "srt", "vtt", "verbose_json"]
Granularity = Literal["word", "segment"]

SEGMENTS: list[Granularity] = ["segment"]
SUBTITLES = {"srt": to_srt, "vtt": to_vtt}


class Duration(BaseModel):
    """What was heard."""

    type: Literal["duration"] = "duration"
    seconds: float


class Written(BaseModel):
    """Speech written down; empty where none was heard."""

    text: str
    usage: Duration


class TimedWord(BaseModel):
    """A word and its seconds; score 0 to 1 where the model has one."""

    word: str
    start: float
    end: float
    score: float | None

    @classmethod
    def of(cls, word: Word) -> "TimedWord":
        """Return a word as the wire has it."""
        return cls(word=word.text, start=word.start_seconds, end=word.end_seconds, score=word.score)


class TimedSegment(BaseModel):
    """A stretch of speech."""

    id: int
    start: float
    end: float
    text: str


class WrittenVerbosely(Written):
    """Speech written down with times: of its segments, of its words, as asked. `language`: a BCP 47 tag."""

    task: Literal["transcribe", "translate"]
    language: str | None
    duration: float
    segments: list[TimedSegment] | None
    words: list[TimedWord] | None


class TextDelta(BaseModel):
    """What a segment adds to the text."""

    type: Literal["transcript.text.delta"]
    delta: str


class TextDone(BaseModel):
    """The whole."""

    type: Literal["transcript.text.done"]
    text: str
    usage: Duration


@dataclass(frozen=True)
class _Wanted:
    data: bytes
    name: str | None
    model: str
    language: str | None = None
    translate: bool = False


@dataclass(frozen=True)
class _Heard:
    transcript: Transcript
    seconds: float


def router(models: Models) -> APIRouter:
    """Return the routes POST /v1/audio/transcriptions and POST /v1/audio/translations."""
    routes = APIRouter(tags=["transcribe"])
    content: dict[str, Any] = {"text/plain": {}, EVENTS: {}}
    answers: dict[int | str, dict[str, Any]] = {
        200: {"model": Written | WrittenVerbosely, "content": content},
        **OPENAI_FAILURES,
    }

    @routes.post("/v1/audio/transcriptions", summary="Speech written down", response_model=None, responses=answers)
    async def transcriptions(
        request: Request,
        file: Annotated[UploadFile, FormField()],
        model: Annotated[str, FormField()] = "",
        language: Annotated[str, FormField(max_length=35)] = "",
        response_format: Annotated[Form, FormField()] = "json",
        timestamp_granularities: Annotated[list[Granularity], FormField(alias="timestamp_granularities[]")] = SEGMENTS,
        stream: Annotated[bool, FormField()] = False,
    ) -> Response:
        """Write speech down; a video's sound track too. `language` (BCP 47) is found where it is not said."""
        wanted = _Wanted(await file.read(), file.filename, model, language or None)
        if stream:
            supported("response_format", response_format, "text", "json")
            return await sent(request, _events(wanted, models))
        heard = await finished(request, lambda: Stream(_written_down(wanted, models)))
        return _answer(heard, response_format, timestamp_granularities, "transcribe")

    @routes.post("/v1/audio/translations", summary="Speech in English", response_model=None, responses=answers)
    async def translations(
        request: Request,
        file: Annotated[UploadFile, FormField()],
        model: Annotated[str, FormField()] = "",
        response_format: Annotated[Form, FormField()] = "json",
    ) -> Response:
        """Write down in English what is said in another language, where the model can."""
        wanted = _Wanted(await file.read(), file.filename, model, translate=True)
        heard = await finished(request, lambda: Stream(_written_down(wanted, models)))
        return _answer(heard, response_format, SEGMENTS, "translate")

    return routes


def _written_down(wanted: _Wanted, models: Models) -> Generator[Segment, None, _Heard]:
    """Pass the segments on; silence is an empty transcript on this wire."""
    audio = read_audio(wanted.data, models.settings.limits, wanted.name or "file")
    model = model_of(wanted.model, "transcribe", models)
    asked = TranscribeRequest(audio=audio, model=model, language=wanted.language, translate=wanted.translate)
    try:
        with closing(transcribe(asked, models)) as stream:
            yield from stream
            return _Heard(stream.result(), audio.seconds)
    except KuamoError as error:
        if error.code != "heard_nothing":
            raise
        return _Heard(Transcript((), ()), audio.seconds)


def _answer(heard: _Heard, form: Form, times: list[Granularity], task: Literal["transcribe", "translate"]) -> Response:
    segments = heard.transcript.segments
    if form == "text":
        return PlainTextResponse(heard.transcript.text + "\n")
    if form in SUBTITLES:
        return PlainTextResponse(SUBTITLES[form](segments))
    written = Written(text=heard.transcript.text, usage=Duration(seconds=heard.seconds))
    if form == "verbose_json":
        written = WrittenVerbosely(
            **written.model_dump(),
            task=task,
            language=segments[0].language if segments else None,
            duration=heard.seconds,
            segments=_segments(segments) if "segment" in times else None,
            words=[TimedWord.of(word) for word in heard.transcript.words] if "word" in times else None,
        )
    return Response(written.model_dump_json(), media_type="application/json")


def _segments(segments: tuple[Segment, ...]) -> list[TimedSegment]:
    return [
        TimedSegment(id=number, start=segment.start_seconds, end=segment.end_seconds, text=segment.text)
        for number, segment in enumerate(segments)
    ]


def _events(wanted: _Wanted, models: Models) -> Generator[bytes, None, None]:
    """Yield what each segment adds to the text, then the whole."""
    text = ""
    with closing(Stream(_written_down(wanted, models))) as stream:
        for segment in stream:
            longer = join_text((text, segment.text))
            yield event(TextDelta(type="transcript.text.delta", delta=longer[len(text) :]))
            text = longer
        seconds = stream.result().seconds
    yield event(TextDone(type="transcript.text.done", text=text, usage=Duration(seconds=seconds)))
