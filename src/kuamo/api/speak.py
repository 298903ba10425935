"""Text to speech, over OpenAI's protocol: POST /v1/audio/speech."""

from base64 import b64encode
from collections.abc import Generator
from contextlib import closing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, BeforeValidator, Field

from kuamo.api.events import EVENTS, event, sent
from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.names import model_of, voice_of
from kuamo.api.wire import StrictRoute
from kuamo.capabilities.speak import speak
from kuamo.contracts import SpeakRequest
from kuamo.media.sound_stream import encode_stream
from kuamo.runtime import Models

Form = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

MEDIA_TYPES: dict[Form, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


def _named(given: object) -> object:
    return given.get("id") if isinstance(given, dict) else given


VoiceName = Annotated[str, Field(max_length=200)]


class NamedVoice(BaseModel):
    """A voice as an object."""

    id: str


class Wanted(BaseModel):
    """Text to say. `voice`: OpenAI's names mean the model's usual voice; `language` is found where it is not said."""

    input: str
    model: str = ""
    voice: Annotated[
        VoiceName | None, BeforeValidator(_named, json_schema_input_type=VoiceName | NamedVoice | None)
    ] = None
    response_format: Form = "mp3"
    speed: float = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    language: Annotated[str | None, Field(max_length=35)] = None


class SpeechDelta(BaseModel):
    """A piece of the sound's file in base64."""

    type: Literal["speech.audio.delta"]
    audio: str


class SpeechDone(BaseModel):
    """The end."""

    type: Literal["speech.audio.done"]


SOUND: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def router(models: Models) -> APIRouter:
    """Return the route POST /v1/audio/speech."""
    routes = APIRouter(tags=["speak"], route_class=StrictRoute)

    @routes.post(
        "/v1/audio/speech",
        summary="Speech",
        response_class=StreamingResponse,
        responses={200: {"content": {**dict.fromkeys(MEDIA_TYPES.values(), SOUND), EVENTS: {}}}, **OPENAI_FAILURES},
    )
    async def speech(wanted: Wanted, request: Request) -> StreamingResponse:
        """Say a text; the sound is sent while it is made. pcm: 16 bits, little-endian, 24 kHz."""
        if wanted.stream_format == "sse":
            return await sent(request, _events(wanted, models))
        return await sent(request, _sound(wanted, models), MEDIA_TYPES[wanted.response_format])

    return routes


def _sound(wanted: Wanted, models: Models) -> Generator[bytes, None, None]:
    model = model_of(wanted.model, "speak", models)
    voice = voice_of(wanted.voice, model, models)
    asked = SpeakRequest(text=wanted.input, model=model, voice=voice, speed=wanted.speed, language=wanted.language)
    with closing(speak(asked, models)) as stream:
        yield from encode_stream((chunk.audio for chunk in stream), wanted.response_format)


def _events(wanted: Wanted, models: Models) -> Generator[bytes, None, None]:
    for piece in _sound(wanted, models):
        yield event(SpeechDelta(type="speech.audio.delta", audio=b64encode(piece).decode()))
    yield event(SpeechDone(type="speech.audio.done"))
