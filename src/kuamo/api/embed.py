"""Texts and pictures to vectors, over OpenAI's protocol."""

from base64 import b64encode
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, Field

from kuamo.api.content import ImagePart, TextPart
from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.names import model_of
from kuamo.api.uploads import Uploads
from kuamo.api.wire import Pictures, StrictRoute
from kuamo.capabilities.embed import embed
from kuamo.contracts import Embedding, EmbedRequest
from kuamo.errors import KuamoError
from kuamo.media.text import clean_text
from kuamo.runtime import Models

MOST = 2048  # inputs of one request, as OpenAI has it

Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


def as_parts(given: object) -> object:
    """Return what `input` may be as a list of parts. Raises KuamoError tokens_not_read for numbers."""
    listed = given if isinstance(given, list) else [given]
    if any(isinstance(item, int | list) for item in listed):
        raise KuamoError("tokens_not_read")
    return [{"type": "text", "text": item} if isinstance(item, str) else item for item in listed]


Inputs = Annotated[
    list[Part],
    BeforeValidator(as_parts, json_schema_input_type=str | Annotated[list[str | Part], Field(max_length=MOST)]),
    Field(min_length=1, max_length=MOST),
]


class Wanted(BaseModel):
    """Texts, or parts as a chat's messages have them: `text`, and `image_url` with a data URL or an upload."""

    input: Inputs
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int | None, Field(ge=1)] = None


class Vector(BaseModel):
    """A unit vector, as numbers or as base64 of little-endian float32."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class Tokens(BaseModel):
    """What was read; 0: an encoder's tokens are not counted."""

    prompt_tokens: int = 0
    total_tokens: int = 0


class Vectors(BaseModel):
    """The vectors, in the order of the inputs."""

    object: Literal["list"] = "list"
    data: list[Vector]
    model: str
    usage: Tokens = Tokens()


def router(models: Models, uploads: Uploads) -> APIRouter:
    """Return the route POST /v1/embeddings."""
    routes = APIRouter(tags=["embed"], route_class=StrictRoute)

    @routes.post("/v1/embeddings", summary="Vectors", response_model=Vectors, responses=OPENAI_FAILURES)
    def embeddings(wanted: Wanted) -> Response:
        """Return a unit vector for each text or picture; both lie in one space where the model sees."""
        request, order = _request(wanted, models, uploads)
        embedding = embed(request, models)
        found = embedding.vectors.shape[1]
        if wanted.dimensions not in (None, found):
            raise KuamoError("parameter_unsupported", field="dimensions", possible=found)
        rows = [_vector(index, embedding, row, wanted.encoding_format) for index, row in enumerate(order)]
        answer = Vectors(data=rows, model=embedding.traces[-1].model)
        return Response(answer.model_dump_json(), media_type="application/json")

    return routes


def _request(wanted: Wanted, models: Models, uploads: Uploads) -> tuple[EmbedRequest, list[int]]:
    """Return the request, and for each input the row of its vector: texts come first there."""
    limits = models.settings.limits
    pictures = Pictures(uploads, limits)
    texts = [part for part in wanted.input if isinstance(part, TextPart)]
    images = [part for part in wanted.input if isinstance(part, ImagePart)]
    rows = {id(part): row for row, part in enumerate([*texts, *images])}
    request = EmbedRequest(
        texts=tuple(clean_text(part.text, limits) for part in texts),
        images=tuple(pictures.read(part.image_url.url) for part in images),
        model=model_of(wanted.model, "embed", models),
    )
    return request, [rows[id(part)] for part in wanted.input]


def _vector(index: int, embedding: Embedding, row: int, form: str) -> Vector:
    vector = embedding.vectors[row]
    listed = vector.tolist() if form == "float" else b64encode(vector.astype("<f4").tobytes()).decode()
    return Vector(index=index, embedding=listed)
