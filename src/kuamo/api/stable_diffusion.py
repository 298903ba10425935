"""Pictures over the protocol that drawing clients speak to Stable Diffusion's web UI: the routes under /sdapi/v1."""

import json
from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from kuamo.api.events import finished
from kuamo.api.failures import Failure
from kuamo.api.names import model_of
from kuamo.api.wire import StrictRoute, decode
from kuamo.capabilities.draw import draw
from kuamo.catalogue import Model
from kuamo.contracts import Drawing, DrawRequest, DrawStep, Picture, Scheduler
from kuamo.contracts import Request as AnyRequest
from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.store import is_here
from kuamo.stream import Stream

SAMPLERS: dict[str, Scheduler] = {
    "DPM++ 2M": "dpm++",
    "DPM++ 2M Karras": "dpm++",
    "Euler": "euler",
    "Euler a": "euler-a",
    "DDIM": "ddim",
    "UniPC": "unipc",
    "LCM": "lcm",
}
"""What the web UI calls the schedulers; any other name, `Automatic` among them, means the model's own."""


class Overrides(BaseModel):
    """Settings of this request alone."""

    sd_model_checkpoint: str = ""


class TextWanted(BaseModel):
    """A picture by its prompt; what is left out is the model's own. Unknown fields are ignored."""

    prompt: str = ""
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler_name: str | None = None
    seed: int = -1
    batch_size: Annotated[int, Field(ge=1)] = 1
    n_iter: Annotated[int, Field(ge=1)] = 1
    override_settings: Overrides = Overrides()


class ImageWanted(TextWanted):
    """A picture drawn over another, in base64; with a mask only where that is white."""

    init_images: Annotated[list[str], Field(min_length=1, max_length=1)]
    mask: str | None = None
    denoising_strength: float = 0.75


class Drawn(BaseModel):
    """Pictures as PNG in base64; `info`: their seeds and the model, as JSON in a text."""

    images: list[str]
    parameters: dict[str, Any]
    info: str


class Sampler(BaseModel):
    """A scheduler."""

    name: str
    aliases: list[str]
    options: dict[str, str] = {}


class Checkpoint(BaseModel):
    """A model that draws."""

    title: str
    model_name: str


class Options(BaseModel):
    """The settings that a client may read: the model in force; empty where none draws."""

    sd_model_checkpoint: str = ""


FAILURES: dict[int | str, dict[str, Any]] = {"4XX": {"model": Failure}, "5XX": {"model": Failure}}


def router(models: Models) -> APIRouter:
    """Return the routes txt2img, img2img, options, samplers and sd-models."""
    routes = APIRouter(prefix="/sdapi/v1", tags=["draw"], route_class=StrictRoute)

    async def drawn(wanted: TextWanted, request: Request) -> Drawn:
        def start() -> Stream[DrawStep | Picture, Drawing]:
            return draw(_request(wanted, models), models)

        return _drawn(await finished(request, start), wanted)

    @routes.post("/txt2img", summary="Pictures", responses=FAILURES)
    async def txt2img(wanted: TextWanted, request: Request) -> Drawn:
        """Draw a prompt."""
        return await drawn(wanted, request)

    @routes.post("/img2img", summary="Pictures drawn over", responses=FAILURES)
    async def img2img(wanted: ImageWanted, request: Request) -> Drawn:
        """Draw over a picture."""
        return await drawn(wanted, request)

    @routes.get("/samplers", summary="The schedulers")
    def samplers() -> list[Sampler]:
        """List the schedulers by the names that the web UI has for them."""
        return [Sampler(name=name, aliases=[scheduler]) for name, scheduler in SAMPLERS.items()]

    @routes.get("/sd-models", summary="The models that draw")
    def sd_models() -> list[Checkpoint]:
        """List the models that draw, the one in force first."""
        chosen = _chosen(models)
        names = [chosen.name] if chosen else []
        names += [row.name for row in models.catalogue.serving("draw") if row.name not in names and is_here(row)]
        return [Checkpoint(title=name, model_name=name) for name in names]

    @routes.get("/options", summary="The model in force")
    def options() -> Options:
        """Tell the model in force."""
        chosen = _chosen(models)
        return Options(sd_model_checkpoint=chosen.name if chosen else "")

    @routes.post("/options", summary="Choose a model", responses=FAILURES)
    def choose(wanted: Options) -> None:
        """Accept the model in force; another is named in each request, by override_settings, never for all clients."""
        chosen = _chosen(models)
        if wanted.sd_model_checkpoint not in ("", chosen.name if chosen else ""):
            possible = chosen.name if chosen else '""'
            raise KuamoError("parameter_unsupported", field="sd_model_checkpoint", possible=possible)

    return routes


def _chosen(models: Models) -> Model | None:
    try:
        return models.choose("draw", AnyRequest())
    except KuamoError:  # told to whoever draws
        return None


def _request(wanted: TextWanted, models: Models) -> DrawRequest:
    image, mask, strength = None, None, 0.75
    if isinstance(wanted, ImageWanted):
        limits = models.settings.limits
        image = _image(wanted.init_images[0], limits, "init_images")
        mask = _image(wanted.mask, limits, "mask") if wanted.mask else None
        strength = wanted.denoising_strength
    return DrawRequest(
        prompt=wanted.prompt,
        negative_prompt=wanted.negative_prompt,
        width=wanted.width,
        height=wanted.height,
        steps=wanted.steps,
        guidance=wanted.cfg_scale,
        scheduler=SAMPLERS.get(wanted.sampler_name or ""),
        count=wanted.batch_size * wanted.n_iter,
        seed=None if wanted.seed < 0 else wanted.seed,
        image=image,
        mask=mask,
        model=_model(wanted.override_settings.sd_model_checkpoint, models),
        strength=strength,
    )


def _model(name: str, models: Models) -> str | None:
    chosen = _chosen(models)
    return None if chosen and name == chosen.name else model_of(name, "draw", models)


def _image(data: str, limits: Limits, name: str) -> Image:
    """Return a picture of bare base64 or of a data URL."""
    return read_image(decode(data.partition(",")[2] if data.startswith("data:") else data), limits, name)


def _drawn(drawing: Drawing, wanted: TextWanted) -> Drawn:
    seeds = [picture.seed for picture in drawing.pictures]
    told = {"seed": seeds[0], "all_seeds": seeds, "sd_model_name": drawing.traces[-1].model}
    return Drawn(
        images=[b64encode(picture.image.png()).decode() for picture in drawing.pictures],
        parameters=wanted.model_dump(exclude={"init_images", "mask"}),
        info=json.dumps({"prompt": wanted.prompt, "negative_prompt": wanted.negative_prompt, **told}),
    )
