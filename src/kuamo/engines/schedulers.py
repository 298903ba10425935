"""Diffusion schedulers by name, made from a checkpoint's own: its noise and its prediction stay what it learnt."""

import math
from typing import Any, get_args

from kuamo.contracts import Scheduler, within

CLASSES: dict[Scheduler, str] = {
    "dpm++": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-a": "EulerAncestralDiscreteScheduler",
    "ddim": "DDIMScheduler",
    "unipc": "UniPCMultistepScheduler",
    "lcm": "LCMScheduler",
}


def fitting(own: Any) -> tuple[Scheduler, ...]:
    """Return which schedulers a checkpoint can be drawn with, told from its own.

    A latent consistency model takes its own alone, others all but that one; flow matching has no other.
    """
    if name_of(own) == "lcm":
        return ("lcm",)
    compatible = {kind.__name__ for kind in own.compatibles}
    return tuple(name for name in get_args(Scheduler) if name != "lcm" and CLASSES[name] in compatible)


def name_of(scheduler: Any) -> Scheduler | None:
    """Return the name of a scheduler; None for one without."""
    return next((name for name, kind in CLASSES.items() if kind == type(scheduler).__name__), None)


def made_from(own: Any, name: Scheduler | None) -> Any:
    """Return a new scheduler with nothing of an earlier drawing in it: of the checkpoint's own kind, or the one named.

    Latents have no bounds to be clipped at, as DDIM would by default.
    """
    import diffusers

    if name is None or name == name_of(own):
        return type(own).from_config(own.config)
    return getattr(diffusers, CLASSES[name]).from_config({**own.config, "clip_sample": False})


def steps_over_picture(steps: int, strength: float) -> int:
    """Return how many steps to ask for where only the share `strength` of them is taken: at least one is."""
    return max(steps, math.ceil(1 / strength + 1e-9))


def consistency_steps_over_picture(own: Any, steps: int, strength: float) -> int:
    """Return how many steps a latent consistency model can take over a picture: all are, out of those it was taught.

    Raises KuamoError out_of_range for a strength that leaves none.
    """
    taught = own.config.original_inference_steps
    within("strength", strength, 1 / taught, 1)
    return min(steps, int(taught * strength + 1e-9))
