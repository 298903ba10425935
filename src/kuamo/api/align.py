"""A known text timed against its recording: POST /v1/audio/alignments, in the manner of OpenAI's protocol."""

from typing import Annotated

from fastapi import APIRouter, Form, UploadFile
from pydantic import BaseModel

from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.names import model_of
from kuamo.api.transcribe import TimedWord
from kuamo.capabilities.align import align
from kuamo.contracts import AlignRequest
from kuamo.media.audio import read_audio
from kuamo.runtime import Models


class Aligned(BaseModel):
    """Words (characters, in Chinese) with their seconds; `score`: their mean, low where the text is another."""

    text: str
    duration: float
    model: str
    score: float | None
    words: list[TimedWord]


def router(models: Models) -> APIRouter:
    """Return the route POST /v1/audio/alignments."""
    routes = APIRouter(tags=["align"])

    @routes.post("/v1/audio/alignments", summary="Words timed", responses=OPENAI_FAILURES)
    def alignments(
        file: Annotated[UploadFile, Form()],
        text: Annotated[str, Form()],
        model: Annotated[str, Form()] = "",
        language: Annotated[str, Form(max_length=35)] = "",
    ) -> Aligned:
        """Find when each word of a text is spoken in a recording of it."""
        audio = read_audio(file.file.read(), models.settings.limits, file.filename or "file")
        name = model_of(model, "align", models)
        alignment = align(AlignRequest(audio=audio, text=text, model=name, language=language or None), models)
        return Aligned(
            text=text,
            duration=audio.seconds,
            model=alignment.traces[-1].model,
            score=alignment.score,
            words=[TimedWord.of(word) for word in alignment.words],
        )

    return routes
