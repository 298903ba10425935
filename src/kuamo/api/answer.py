"""A question about a picture, over the wire."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, UploadFile
from pydantic import BaseModel

from kuamo.api.failures import Failure
from kuamo.api.uploads import Uploads
from kuamo.capabilities.answer import answer
from kuamo.contracts import ChatRequest, Line, Message, Trace
from kuamo.media.image import read_image
from kuamo.runtime import Models

FAILURES: dict[int | str, dict[str, Any]] = {status: {"model": Failure} for status in (404, 413, 415, 422, 503)}


class Answered(BaseModel):
    """An answer; `places` are the lines of the picture it was read from, `traces` the models that made it."""

    status: Literal["success"] = "success"
    question: str
    answer: str
    image_url: str
    places: tuple[Line, ...]
    traces: tuple[Trace, ...]


def router(models: Models, uploads: Uploads) -> APIRouter:
    """Return the route POST /qa."""
    routes = APIRouter(tags=["answer"])
    limits = models.settings.limits

    @routes.post("/qa", summary="Ask a picture", responses=FAILURES)
    def qa(
        image: Annotated[UploadFile, Form()], question: Annotated[str, Form()], model: Annotated[str, Form()] = ""
    ) -> Answered:
        """Answer a question about a picture. `model`: one of the catalogue's, else the server's choice."""
        picture = read_image(image.file.read(), limits, "image")
        request = ChatRequest(messages=(Message("user", question, (picture,)),), model=model or None)
        answered = answer(request, models).result()
        return Answered(
            question=question,
            answer=answered.text,
            image_url=f"/uploads/{uploads.keep(picture)}",
            places=answered.places,
            traces=answered.traces,
        )

    return routes
