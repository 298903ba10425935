"""What a drawing is made from: the prompt and the settings, as widgets and as the request they make."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import gradio as gr

from kuamo.capabilities.enrich import QUALITIES, STYLES
from kuamo.contracts import DrawRequest, Scheduler
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.ui.start_picture import read_start, start_editor
from kuamo.ui.widgets import model_menu

SIZES = ("512 × 512", "768 × 512", "1024 × 768")
SIZE = re.compile(r"\s*(\d{1,9})\s*[×xX*]\s*(\d{1,9})\s*")
Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Desk:
    """What a request is made from: the words, and the settings by the names that DrawRequest has for them."""

    prompt: Any
    style: Any
    quality: Any
    idea: Any
    improve: Any
    start: Any
    settings: dict[str, Any]

    @property
    def words(self) -> list[Any]:
        """What an improved prompt is made from."""
        return [self.prompt, self.style, self.quality]


def lay_desk(models: Models, language: Language) -> Desk:
    """Lay out a prompt box, style chips and, folded away, the settings and the picture to start from."""
    prompt = gr.Textbox(
        "", placeholder=say("page.prompt", language), label=say("page.prompt_label", language), show_label=False,
        lines=1, max_lines=8, submit_btn=say("page.draw_send", language), elem_id="prompt",
    )  # fmt: skip
    style = _choices("style", ("", *STYLES), language)
    with gr.Row(elem_classes="chips"):
        idea, improve = (
            gr.Button(say(f"page.{name}", language), size="sm", elem_classes="chip", elem_id=name)
            for name in ("idea", "improve")
        )
    with gr.Accordion(say("page.more", language), open=False, elem_classes="fold"):
        quality = _choices("quality", QUALITIES, language)
        settings = _settings(models, language)
    with gr.Accordion(say("page.start", language), open=False, elem_classes="fold") as start:
        settings["start"] = start_editor(
            show_label=False, placeholder=say("page.start_drop", language), elem_id="start"
        )
        settings["strength"] = gr.Slider(
            0.05, 1, 0.75, step=0.05, label=say("page.strength", language), info=say("page.strength_hint", language)
        )
    return Desk(prompt, style, quality, idea, improve, start, settings)


def _choices(name: str, values: Iterable[str], language: Language) -> Any:
    """Return chips of which one is chosen, the first."""
    choices = [(say(f"page.{name}_{value or 'none'}", language), value) for value in values]
    return gr.Radio(
        choices, value=choices[0][1], label=say(f"page.{name}", language), show_label=name != "style", elem_id=name,
        elem_classes="choices",
    )  # fmt: skip


def _settings(models: Models, language: Language) -> dict[str, Any]:
    """Lay the settings out; what is empty is the model's own."""
    own = say("page.own", language)

    def number(name: str, hint: str) -> Any:  # gr.Number shows 0 where it is empty
        return gr.Textbox("", label=say(f"page.{name}", language), placeholder=hint, max_lines=1, elem_id=name)

    negative = gr.Textbox(
        "", label=say("page.negative_prompt", language), placeholder=say("page.negative_hint", language), max_lines=4
    )
    with gr.Row(elem_classes="pair"):
        size = gr.Dropdown(
            [(own, ""), *SIZES], value="", label=say("page.size", language), allow_custom_value=True, elem_id="size"
        )
        count = gr.Radio([1, 2, 3, 4], value=1, label=say("page.count", language), elem_classes="choices")
    with gr.Row(elem_classes="pair"):
        steps = number("steps", own)
        guidance = number("guidance", own)
    with gr.Row(elem_classes="pair"):
        scheduler = gr.Dropdown([(own, ""), *get_args(Scheduler)], value="", label=say("page.scheduler", language))
        seed = number("seed", say("page.seed_any", language))
    return {
        "negative_prompt": negative, "size": size, "count": count, "steps": steps, "guidance": guidance,
        "scheduler": scheduler, "seed": seed, "model": model_menu("draw", models, language),
    }  # fmt: skip


def request_of(prompt: str, settings: dict[str, Any], limits: Limits) -> DrawRequest:
    """Return the request for what the page has; raises KuamoError for what cannot be drawn."""
    image, mask = read_start(settings["start"], limits)
    width, height = size_of(settings["size"])
    return DrawRequest(
        prompt=prompt,
        negative_prompt=settings["negative_prompt"],
        width=width,
        height=height,
        count=settings["count"],
        steps=number_of("steps", settings["steps"], int),
        guidance=number_of("guidance", settings["guidance"], float),
        seed=number_of("seed", settings["seed"], int),
        scheduler=settings["scheduler"] or None,
        model=settings["model"] or None,
        strength=settings["strength"],
        image=image,
        mask=mask,
    )


def number_of(what: str, text: str, kind: Callable[[str], Number]) -> Number | None:
    """Return the number that a text is; None for none. Raises KuamoError not_a_number."""
    try:
        return kind(text) if text.strip() else None
    except ValueError as error:
        raise KuamoError("not_a_number", what=what, value=text.strip()) from error


def size_of(text: str) -> tuple[int | None, int | None]:
    """Return the width and height that a text like 768 × 512 names; (None, None) for none. Raises not_a_size."""
    if not text.strip():
        return None, None
    named = SIZE.fullmatch(text)
    if named is None:
        raise KuamoError("not_a_size", given=text)
    return int(named[1]), int(named[2])
