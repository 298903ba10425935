"""Pictures from text by diffusion: any Diffusers folder that AutoPipelineForText2Image loads."""

import inspect
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Self

import psutil

from kuamo.contracts import DrawRequest, DrawStep, Picture, Precision
from kuamo.engines.checkpoint import reading
from kuamo.engines.placement import Placement, place
from kuamo.errors import KuamoError
from kuamo.media.image import from_pil

SMALL_BYTES = {"cuda": 8e9, "mps": 32e9}  # below this, memory is saved at the cost of speed


class _ClosedError(Exception):
    """The consumer wants no more."""


class Diffusion:
    """Stable Diffusion, SDXL and their turbo and LCM kinds, with the checkpoint's own scheduler and safety checker."""

    def __init__(self, pipeline: Any, placement: Placement, most_steps: int, most_guidance: float) -> None:
        self._pipeline = pipeline
        self._most_steps = most_steps
        self._most_guidance = most_guidance
        self.device = placement.device
        self.precision = placement.precision

    @classmethod
    def load(
        cls, source: str, *, device: str, precision: Precision, most_steps: int = 500, most_guidance: float = 50
    ) -> Self:
        """Load a Diffusers folder; int8 and nf4 mean "auto" here.

        `most_steps` and `most_guidance` hold back requests from what a distilled model was not made for: turbo and LCM
        kinds need few steps, turbo no guidance. Raises KuamoError model_unsupported.
        """
        placement = place(source, device, "auto" if precision in ("int8", "nf4") else precision)
        with reading(source, "draw"):
            from diffusers import AutoPipelineForText2Image
            from diffusers.utils import logging

            logging.disable_progress_bar()
            logging.set_verbosity_error()
            pipeline = AutoPipelineForText2Image.from_pretrained(
                source, dtype=placement.dtype, use_safetensors=True, local_files_only=True
            )
            pipeline.to(placement.device)
        pipeline.set_progress_bar_config(disable=True)
        if _is_small(placement.device):
            pipeline.enable_attention_slicing()
            pipeline.vae.enable_tiling()
        return cls(pipeline, placement, most_steps, most_guidance)

    def draw(self, request: DrawRequest) -> Iterator[DrawStep | Picture]:
        """Yield each step done (counted over all pictures) and each picture when it is ready.

        Closing the iterator stops within one step. Raises KuamoError picture_withheld where the checkpoint's safety
        checker blacks a picture out, and no_negative_prompt where the model takes none.
        """
        if request.negative_prompt and "negative_prompt" not in self._parameters():
            raise KuamoError("no_negative_prompt")
        first = secrets.randbelow(2**31) if request.seed is None else request.seed
        for index in range(request.count):
            yield from self._draw_one(request, first + index, index)

    def _draw_one(self, request: DrawRequest, seed: int, index: int) -> Iterator[DrawStep | Picture]:
        done: SimpleQueue[int | None] = SimpleQueue()
        closed = threading.Event()

        def report(pipeline: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if closed.is_set():
                raise _ClosedError
            done.put(step + 1)
            return tensors

        with ThreadPoolExecutor(1, "draw") as pool:
            future = pool.submit(self._run, request, seed, report)
            future.add_done_callback(lambda _: done.put(None))
            try:
                for step in iter(done.get, None):
                    steps = self._pipeline.num_timesteps
                    yield DrawStep(index * steps + step, request.count * steps)
            finally:
                closed.set()
            output = future.result()
        if any(getattr(output, "nsfw_content_detected", None) or ()):
            raise KuamoError("picture_withheld")
        yield Picture(from_pil(output.images[0]), seed)

    def _parameters(self) -> frozenset[str]:
        return frozenset(inspect.signature(self._pipeline.__call__).parameters)

    def _run(self, request: DrawRequest, seed: int, report: Any) -> Any:
        import torch

        # None, not "": SDXL's models were trained with zeros for no negative prompt at all.
        unwanted = {"negative_prompt": request.negative_prompt} if request.negative_prompt else {}
        return self._pipeline(
            request.prompt,
            **unwanted,
            width=request.width,
            height=request.height,
            num_inference_steps=min(request.steps, self._most_steps),
            guidance_scale=min(request.guidance, self._most_guidance),
            generator=torch.Generator().manual_seed(seed),
            callback_on_step_end=report,
        )


def _is_small(device: str) -> bool:
    import torch

    kind = device.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.get_device_properties(device).total_memory < SMALL_BYTES["cuda"]
    return kind == "mps" and psutil.virtual_memory().total < SMALL_BYTES["mps"]
