"""Pictures from text, over OpenAI's protocol: POST /v1/images/generations and /v1/images/edits."""

import time
from base64 import b64encode
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import BaseModel, Field

from kuamo.api.events import EVENTS, event, finished, sent
from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.names import model_of
from kuamo.api.uploads import Uploads
from kuamo.api.wire import StrictRoute, supported
from kuamo.capabilities.draw import draw
from kuamo.contracts import Drawing, DrawRequest, DrawStep, Picture, Scheduler
from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.media.mask import read_mask
from kuamo.runtime import Models
from kuamo.stream import Stream

SIZE = r"^(auto|\d{1,5}x\d{1,5})$"
BY_ADDRESS = "dall-e"  # whose clients expect an address where they do not say what they want

Delivery = Literal["url", "b64_json"]


class Wanted(BaseModel):
    """What to draw. Beyond OpenAI's: negative_prompt, steps, guidance, scheduler, seed; None is the model's own.

    `size`: WIDTHxHEIGHT in multiples of 8, or auto.
    """

    prompt: Annotated[str, Field(min_length=1)]
    model: str = ""
    n: int | None = None
    size: Annotated[str | None, Field(pattern=SIZE)] = None
    response_format: Delivery | None = None
    stream: bool | None = None
    partial_images: Annotated[int | None, Field(ge=0, le=3)] = None
    background: str | None = None
    output_format: str | None = None
    negative_prompt: str = ""
    steps: int | None = None
    guidance: float | None = None
    scheduler: Scheduler | None = None
    seed: int | None = None
    strength: float | None = None


class Drawn(BaseModel):
    """A picture as PNG in base64, or its address, where it is kept for a while; its seed makes it again."""

    b64_json: str | None = None
    url: str | None = None
    seed: int | None = None


class Pictures(BaseModel):
    """The pictures, in the order of their seeds."""

    created: int
    model: str
    data: list[Drawn]
    output_format: Literal["png"] = "png"
    size: str


class PartialImage(BaseModel):
    """A picture on its way, seen through the model's eyes."""

    type: Literal["image_generation.partial_image", "image_edit.partial_image"]
    b64_json: str
    partial_image_index: int
    created_at: int
    output_format: Literal["png"]
    size: str


class CompletedImage(BaseModel):
    """A picture."""

    type: Literal["image_generation.completed", "image_edit.completed"]
    b64_json: str
    seed: int | None
    created_at: int
    output_format: Literal["png"]
    size: str


ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {EVENTS: {}}}, **OPENAI_FAILURES}

Kind = Literal["image_generation", "image_edit"]


@dataclass(frozen=True)
class _Given:
    """The files of an edit."""

    image: bytes
    mask: bytes | None


def router(models: Models, uploads: Uploads) -> APIRouter:
    """Return the routes POST /v1/images/generations and POST /v1/images/edits."""
    routes = APIRouter(tags=["draw"], route_class=StrictRoute)

    async def drawn(request: Request, wanted: Wanted, given: _Given | None = None) -> Response | Pictures:
        _check(wanted)

        def start() -> Stream[DrawStep | Picture, Drawing]:
            return draw(_request(wanted, given, models), models)

        if wanted.stream:
            kind: Kind = "image_edit" if given else "image_generation"
            return await sent(request, _events(start, wanted.partial_images or 0, kind))
        return _pictures(await finished(request, start), wanted, uploads, str(request.base_url))

    @routes.post("/v1/images/generations", summary="Pictures", response_model=Pictures, responses=ANSWERS)
    async def generations(wanted: Wanted, request: Request) -> Response | Pictures:
        """Draw pictures; with `stream`, up to three partial pictures first and each picture when it is ready."""
        return await drawn(request, wanted)

    @routes.post("/v1/images/edits", summary="Pictures drawn over", response_model=Pictures, responses=ANSWERS)
    async def edits(
        request: Request,
        wanted: Annotated[Wanted, Form()],
        image: Annotated[UploadFile | None, File()] = None,
        images: Annotated[list[UploadFile], File(alias="image[]")] = [],  # noqa: B006
        mask: Annotated[UploadFile | None, File()] = None,
    ) -> Response | Pictures:
        """Draw over a picture, the more the nearer `strength` is to 1; with a mask only where that is transparent.

        A mask without transparency counts where it is white.
        """
        files = images if image is None else [image, *images]
        if len(files) != 1:
            raise KuamoError("one_picture", field="image", count=len(files))
        return await drawn(request, wanted, _Given(await files[0].read(), await mask.read() if mask else None))

    return routes


def _check(wanted: Wanted) -> None:
    supported("background", wanted.background, None, "opaque", "auto")
    supported("output_format", wanted.output_format, None, "png")


def _request(wanted: Wanted, given: _Given | None, models: Models) -> DrawRequest:
    """Return the request; what was not said is left open."""
    limits = models.settings.limits
    image = read_image(given.image, limits, "image") if given else None
    mask = read_mask(given.mask, limits, "mask") if given and given.mask is not None else None
    width, height = (None, None) if wanted.size in (None, "auto") else map(int, wanted.size.split("x"))
    named: dict[str, Any] = {"count": wanted.n, "strength": wanted.strength}
    return DrawRequest(
        prompt=wanted.prompt,
        negative_prompt=wanted.negative_prompt,
        width=width,
        height=height,
        steps=wanted.steps,
        guidance=wanted.guidance,
        scheduler=wanted.scheduler,
        seed=wanted.seed,
        image=image,
        mask=mask,
        model=model_of(wanted.model, "draw", models),
        **{name: value for name, value in named.items() if value is not None},
    )


def _pictures(drawing: Drawing, wanted: Wanted, uploads: Uploads, here: str) -> Pictures:
    by_address = wanted.response_format == "url" or (
        wanted.response_format is None and wanted.model.startswith(BY_ADDRESS)
    )
    data = [
        Drawn(url=f"{here}uploads/{uploads.keep(picture.image)}", seed=picture.seed)
        if by_address
        else Drawn(b64_json=_base64(picture.image), seed=picture.seed)
        for picture in drawing.pictures
    ]
    size = _size(drawing.pictures[0].image)
    return Pictures(created=int(time.time()), model=drawing.traces[-1].model, data=data, size=size)


def _events(
    start: Callable[[], Stream[DrawStep | Picture, Drawing]], partials: int, kind: Kind
) -> Generator[bytes, None, None]:
    """Yield each picture, before them partial ones at even distances, where the engine has previews; steps as comments.

    The comments keep the line alive, and show within a step that a client has gone.
    """
    shown = 0
    with closing(start()) as stream:
        for step in stream:
            if isinstance(step, Picture):
                yield _event(f"{kind}.completed", step.image, seed=step.seed)
                continue
            yield b": step %d of %d\n\n" % (step.step, step.steps)
            if step.preview and step.step * (partials + 1) // step.steps > shown < partials:
                yield _event(f"{kind}.partial_image", step.preview, partial_image_index=shown)
                shown += 1


def _event(kind: str, image: Image, **more: Any) -> bytes:
    shape = PartialImage if kind.endswith("partial_image") else CompletedImage
    data = {"type": kind, "b64_json": _base64(image), "created_at": int(time.time()), "output_format": "png"}
    return event(shape.model_validate({**data, "size": _size(image), **more}), kind)


def _base64(image: Image) -> str:
    return b64encode(image.png()).decode()


def _size(image: Image) -> str:
    return f"{image.width}x{image.height}"
