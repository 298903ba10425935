"""Pictures by diffusion, from text or over a picture: any Diffusers folder that AutoPipelineForText2Image loads."""

import inspect
import math
import secrets
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any, Self

import psutil

from kuamo.contracts import DrawRequest, DrawStep, Picture, Precision, Scheduler
from kuamo.engines.checkpoint import reading
from kuamo.engines.latent_preview import fit_preview
from kuamo.engines.placement import Placement, place
from kuamo.engines.schedulers import (
    consistency_steps_over_picture,
    fitting,
    made_from,
    name_of,
    steps_over_picture,
)
from kuamo.engines.start_picture import fitted, fitted_mask, own_size, painted
from kuamo.errors import KuamoError
from kuamo.media.image import Image, from_pil

SMALL_BYTES = {"cuda": 8e9, "mps": 32e9}  # below this, memory is saved at the cost of speed
SQUARE = 512  # pixels, where a checkpoint does not say at what size it was trained

Report = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]


class _ClosedError(Exception):
    """The consumer wants no more."""


@dataclass(frozen=True)
class Manner:
    """How a model draws where a request does not say, and what it is held to.

    `square`: pixels of each side; `factor`: what sides are multiples of; `most_…` hold back what a distilled model was
    not made for.
    """

    steps: int
    guidance: float
    square: int
    factor: int
    schedulers: tuple[Scheduler, ...]
    most_steps: int
    most_guidance: float


class Diffusion:
    """Stable Diffusion, SDXL and their turbo and LCM kinds, with the checkpoint's own scheduler and safety checker."""

    def __init__(self, pipeline: Any, placement: Placement, manner: Manner) -> None:
        self._pipeline = pipeline
        self._manner = manner
        self._preview = fit_preview(pipeline.components.get("vae"))
        self.device = placement.device
        self.precision = placement.precision

    @classmethod
    def load(
        cls,
        source: str,
        *,
        device: str,
        precision: Precision,
        steps: int = 50,
        guidance: float = 7.5,
        square: int | None = None,
        factor: int = 8,
        schedulers: Sequence[Scheduler] | None = None,
        most_steps: int = 500,
        most_guidance: float = 50,
        safety_checker: bool = True,
    ) -> Self:
        """Load a Diffusers folder; int8 and nf4 mean "auto" here.

        The options are those of Manner. Without `square` it is the size that the checkpoint was trained at, without
        `schedulers` those that fit its own. Raises KuamoError model_unsupported.
        """
        placement = place(source, device, "auto" if precision in ("int8", "nf4") else precision)
        pipeline = _loaded(source, placement, safety_checker)
        fit = fitting(pipeline.scheduler) if schedulers is None else tuple(schedulers)
        square = square or _trained_square(pipeline)
        return cls(pipeline, placement, Manner(steps, guidance, square, factor, fit, most_steps, most_guidance))

    def settle(self, request: DrawRequest) -> DrawRequest:
        """Return a request with nothing left open: size, steps, guidance, scheduler (None: one without a name), seed.

        Raises KuamoError not_a_multiple, scheduler_unfit, no_negative_prompt or prompt_too_long.
        """
        manner = self._manner
        width, height = self._size(request)
        for what, value in (("width", width), ("height", height)):
            if value % manner.factor:
                raise KuamoError("not_a_multiple", what=what, value=value, factor=manner.factor)
        if request.scheduler not in (None, *manner.schedulers):
            possible = ", ".join(manner.schedulers) or "-"
            raise KuamoError("scheduler_unfit", name=request.scheduler, possible=possible)
        if request.negative_prompt and "negative_prompt" not in _parameters(self._pipeline):
            raise KuamoError("no_negative_prompt")
        for text in (request.prompt, request.negative_prompt):
            self._check_length(text)
        return replace(
            request,
            width=width,
            height=height,
            steps=self._steps(request),
            guidance=min(manner.guidance if request.guidance is None else request.guidance, manner.most_guidance),
            scheduler=request.scheduler or name_of(self._pipeline.scheduler),
            seed=secrets.randbelow(2**31) if request.seed is None else request.seed,
        )

    def draw(self, request: DrawRequest) -> Iterator[DrawStep | Picture]:
        """Yield each step done (counted over all pictures), with a preview, and each picture when it is ready.

        Closing the iterator stops within one step. Raises what `settle` raises, KuamoError no_start_picture or no_mask
        where the model takes none, and picture_withheld where the checkpoint's safety checker blacks a picture out.
        """
        request = self.settle(request)
        pipeline = self._pipeline_for(request)
        arguments = _arguments(request)
        for index in range(request.count):
            seed = (request.seed or 0) + index
            output = yield from self._drawn(pipeline, arguments, seed, index, request.count)
            if any(getattr(output, "nsfw_content_detected", None) or ()):
                raise KuamoError("picture_withheld")
            drawn = output.images[0]
            masked = request.mask is not None
            image = painted(arguments["image"], drawn, arguments["mask_image"]) if masked else from_pil(drawn)
            yield Picture(image, seed)

    def _size(self, request: DrawRequest) -> tuple[int, int]:
        square = self._manner.square
        width, height = square, square
        if request.image is not None:
            width, height = own_size(request.image, square, self._manner.factor)
        return request.width or width, request.height or height

    def _steps(self, request: DrawRequest) -> int:
        steps = min(request.steps or self._manner.steps, self._manner.most_steps)
        if request.image is None:
            return steps
        if "original_inference_steps" in _parameters(self._pipeline):
            return consistency_steps_over_picture(self._pipeline.scheduler, steps, request.strength)
        return steps_over_picture(steps, request.strength)

    def _check_length(self, text: str) -> None:
        tokenizer = self._pipeline.components.get("tokenizer")
        if tokenizer is None:
            return
        most = _parameters(self._pipeline).get("max_sequence_length")
        window = min(tokenizer.model_max_length, most.default if most else math.inf)
        tokens = len(tokenizer(text).input_ids)
        if tokens > window:
            raise KuamoError("prompt_too_long", tokens=tokens, window=window)

    def _pipeline_for(self, request: DrawRequest) -> Any:
        """Return a pipeline of the loaded parts for a request alone, its scheduler new."""
        import diffusers

        if request.mask is not None:
            kind, missing = "Inpainting", "no_mask"
        else:
            kind, missing = ("Text2Image", "") if request.image is None else ("Image2Image", "no_start_picture")
        scheduler = made_from(self._pipeline.scheduler, request.scheduler)
        try:
            pipeline = getattr(diffusers, f"AutoPipelineFor{kind}").from_pipe(self._pipeline, scheduler=scheduler)
        except ValueError as error:  # Diffusers has no such pipeline for this kind of model
            raise KuamoError(missing) from error
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _drawn(
        self, pipeline: Any, arguments: dict[str, Any], seed: int, index: int, count: int
    ) -> Generator[DrawStep, None, Any]:
        """Run a pipeline in a thread of its own, yield its steps, and return its output."""
        done: SimpleQueue[tuple[int, Image | None] | None] = SimpleQueue()
        closed = threading.Event()

        def report(_: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if closed.is_set():
                raise _ClosedError
            done.put((step + 1, self._preview(tensors["latents"]) if self._preview else None))
            return tensors

        with ThreadPoolExecutor(1, "draw") as pool:
            future = pool.submit(_run, pipeline, arguments, seed, report)
            future.add_done_callback(lambda _: done.put(None))
            try:
                for step, preview in iter(done.get, None):
                    steps = pipeline.num_timesteps
                    yield DrawStep(index * steps + step, count * steps, preview)
            finally:
                closed.set()
            return future.result()


def _loaded(source: str, placement: Placement, safety_checker: bool) -> Any:
    without = {} if safety_checker else {"safety_checker": None}
    with reading(source, "draw"):
        from diffusers import AutoPipelineForText2Image
        from diffusers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        pipeline = AutoPipelineForText2Image.from_pretrained(
            source, dtype=placement.dtype, use_safetensors=True, local_files_only=True, **without
        )
        pipeline.to(placement.device)
    if _is_small(placement.device):
        pipeline.enable_attention_slicing()
        pipeline.vae.enable_tiling()
    return pipeline


def _trained_square(pipeline: Any) -> int:
    """Return the side in pixels of the pictures that a denoiser was trained on, as its configuration has it."""
    denoiser = pipeline.components.get("unet") or pipeline.components["transformer"]
    latents = denoiser.config.get("sample_size")
    return latents * pipeline.vae_scale_factor if isinstance(latents, int) else SQUARE


def _parameters(pipeline: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(pipeline.__call__).parameters


def _arguments(request: DrawRequest) -> dict[str, Any]:
    """Return what a pipeline is called with for a settled request, the seed apart."""
    arguments: dict[str, Any] = {
        "prompt": request.prompt,
        "num_inference_steps": request.steps,
        "guidance_scale": request.guidance,
    }
    if request.negative_prompt:  # left out, not "": SDXL's models were trained with zeros for none at all
        arguments["negative_prompt"] = request.negative_prompt
    size: Any = {"width": request.width, "height": request.height}
    if request.image is None or request.mask is not None:
        arguments |= size  # image to image takes the picture's
    if request.image is not None:
        arguments |= {"image": fitted(request.image, **size), "strength": request.strength}
    if request.mask is not None:
        arguments["mask_image"] = fitted_mask(request.mask, **size)
    return arguments


def _run(pipeline: Any, arguments: dict[str, Any], seed: int, report: Report) -> Any:
    import torch

    generator = torch.Generator().manual_seed(seed)  # on the CPU, so that all devices begin with the same noise
    return pipeline(**arguments, generator=generator, callback_on_step_end=report)


def _is_small(device: str) -> bool:
    import torch

    kind = device.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.get_device_properties(device).total_memory < SMALL_BYTES["cuda"]
    return kind == "mps" and psutil.virtual_memory().total < SMALL_BYTES["mps"]
