"""Draw: a prompt in; a picture that appears step by step and joins those made before (see `drawings`)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import SystemRandom
from typing import Any

import gradio as gr

from kuamo import store
from kuamo.capabilities.draw import draw
from kuamo.capabilities.enrich import QUALITIES, enrich
from kuamo.capabilities.restore import restoring
from kuamo.contracts import DrawRequest, DrawStep, RestoreRequest, RestoreStep
from kuamo.errors import KuamoError
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.stream import passed_on
from kuamo.ui.draw_request import Desk, lay_desk, request_of
from kuamo.ui.drawings import Shelf, Wall, hang
from kuamo.ui.widgets import QUIET, busy, guarded, in_background, notice, picture, progress
from kuamo.world import prompt as ideas
from kuamo.world.scene import make_scene

PLAIN, *_, BEST = QUALITIES
IDEAS = 100_000
Update = dict[Any, Any]


def tab(language: Language, models: Models, folder: Path | None) -> None:
    """Lay the tab out and wire it. Pictures are kept in `folder`; None keeps them for their own visitor alone."""
    with gr.Tab(say("page.draw", language), id="draw") as opened, gr.Row(elem_classes="workspace"):
        with gr.Column(scale=5, min_width=300, elem_id="desk"):
            desk = lay_desk(models, language)
        with gr.Column(scale=6, min_width=300, elem_id="wall"):
            wall = hang(models, folder, language)
    settings = desk.settings
    outputs = [desk.prompt, *wall.outputs]
    send: dict[str, Any] = {
        "fn": partial(_draw, desk=desk, wall=wall), "inputs": [wall.shelf, *desk.words, *settings.values()],
        "outputs": outputs, **QUIET,
    }  # fmt: skip
    seeded = wall.again.click(_seeded, [wall.shelf, desk.prompt], [desk.prompt, settings["seed"]], **QUIET)
    drawn = [desk.prompt.submit(**send), seeded.then(**send)]
    for scale, button in wall.sharpen.items():
        sharpened = partial(_sharpened, scale=scale, desk=desk, wall=wall)
        drawn.append(button.click(sharpened, wall.shelf, outputs, **QUIET))
    # One after the other: what comes with a cancel can be lost.
    stopped = desk.prompt.stop(None, cancels=drawn, **QUIET)
    stopped.then(partial(_stopped, desk=desk, wall=wall), wall.shelf, outputs, **QUIET)
    gr.on([desk.style.input, desk.quality.input], enrich, desk.words, desk.prompt, **QUIET)
    desk.idea.click(partial(_idea, language), None, desk.prompt, **QUIET)
    desk.improve.click(_improved, desk.words, [desk.prompt, desk.quality], **QUIET)
    wall.reuse.click(partial(_reused, desk=desk), wall.shelf, [*desk.words, *settings.values()], **QUIET)
    wall.start.click(partial(_begun, wall=wall), wall.shelf, [settings["start"], desk.start], **QUIET)
    opened.select(partial(_opened, wall=wall), wall.shelf, wall.outputs, **QUIET)


def _idea(language: Language) -> str:
    """Write a prompt of the small world into the box."""
    random = SystemRandom()
    return ideas.prompt(replace(make_scene(random.randrange(IDEAS)), style=""), language, random).text


def _improved(prompt: str, style: str, quality: str) -> tuple[str, str]:
    """Write the improved prompt into the box; who asks for it where no quality is chosen gets the best."""
    quality = BEST if quality == PLAIN else quality
    return enrich(prompt, style, quality), quality


def _draw(
    shelf: Shelf, prompt: str, style: str, quality: str, *values: Any, desk: Desk, wall: Wall
) -> Iterator[Update]:
    prompt = enrich(prompt, style, quality)
    settings = dict(zip(desk.settings, values, strict=True))
    yield {desk.prompt: prompt}
    yield from _watched(_drawn(shelf, prompt, settings, wall), "page.drawing", shelf, desk, wall)


def _watched(work: Iterator[Update], doing: str, shelf: Shelf, desk: Desk, wall: Wall) -> Iterator[Update]:
    """Pass the updates of long work on, with a button to stop it as long as it lasts."""
    yield {
        desk.prompt: gr.Textbox(submit_btn=False, stop_btn=say("page.stop", wall.language)),
        wall.about: busy(say(doing, wall.language)),
        wall.actions: gr.Row(visible=False),
    }
    yield from guarded(work, lambda line: {**wall.show(shelf.filled()), wall.about: notice(line)}, wall.language)
    yield {desk.prompt: _ready(wall.language)}


def _drawn(shelf: Shelf, prompt: str, settings: dict[str, Any], wall: Wall) -> Iterator[Update]:
    """Draw one picture after the other; each is kept as soon as it is made, so that stopping loses one at most."""
    whole = request_of(prompt, settings, wall.models.settings.limits)
    seed = whole.seed
    for number in range(1, whole.count + 1):
        request = replace(whole, count=1, seed=seed)
        shown = partial(_step, number=number, count=whole.count, wall=wall)
        drawing = yield from passed_on(in_background(partial(draw, request, wall.models)), shown)
        for made in drawing.pictures:
            seed = None if made.seed is None else made.seed + 1
            shelf = shelf.added(made, drawing.request, drawing.traces, drawing.original)
        yield wall.show(shelf)


def _sharpened(shelf: Shelf, scale: Any, desk: Desk, wall: Wall) -> Iterator[Update]:
    """Sharpen the open picture; the sharper one is kept beside it."""

    def work() -> Iterator[Update]:
        request = RestoreRequest(image=wall.opened(shelf), scale=scale)
        shown = partial(_step, number=1, count=1, wall=wall)
        restored = yield from passed_on(in_background(partial(restoring, request, wall.models)), shown)
        yield wall.show(shelf.sharpened(restored))

    yield from _watched(work(), "page.sharpening", shelf, desk, wall)


def _step(event: object, number: int, count: int, wall: Wall) -> Iterator[Update]:
    """Show a step of the work on one picture of so many."""
    if not isinstance(event, DrawStep | RestoreStep):
        yield {wall.about: gr.skip()}  # a chance to stop
        return
    key = "page.step" if count == 1 else "page.step_of"
    line = say(key, wall.language, step=event.step, steps=event.steps, number=number, count=count)
    shown: Update = {wall.about: progress(line, event.step, event.steps)}
    if isinstance(event, DrawStep) and event.preview:
        shown[wall.canvas] = picture(event.preview, line)
    yield shown


def _seeded(shelf: Shelf, prompt: str) -> tuple[str, str]:
    """Put the seed of the open picture on the page, and its prompt where there is none."""
    used = _open(shelf)
    return prompt if prompt.strip() else used["original"] or used["prompt"], _shown(used["seed"])


def _begun(shelf: Shelf, wall: Wall) -> tuple[Any, Any]:
    """Put the open picture where a drawing starts from, and unfold that."""
    return wall.opened(shelf).pil(), gr.Accordion(open=True)


def _reused(shelf: Shelf, desk: Desk) -> Update:
    """Put the settings of the open picture on the page; the size of a sharpened one is not that it was drawn at."""
    used = _open(shelf)
    drawn = all(trace["capability"] != "restore" for trace in used["traces"])
    values: dict[str, Any] = {
        name: _shown(used[name]) for name in ("steps", "guidance", "seed", "scheduler", "negative_prompt")
    }
    values |= {"size": f"{used['width']} × {used['height']}" if drawn else "", "count": 1, "strength": used["strength"]}
    return {
        desk.prompt: used["original"] or used["prompt"], desk.style: "", desk.quality: PLAIN,
        **{desk.settings[name]: value for name, value in values.items()},
    }  # fmt: skip


def _open(shelf: Shelf) -> dict[str, Any]:
    assert shelf.chosen is not None
    return shelf.chosen.settings


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _stopped(shelf: Shelf, desk: Desk, wall: Wall) -> Update:
    line = f'<p class="facts">{say("page.stopped", wall.language)}</p>'
    return {**wall.show(shelf.filled()), wall.about: line, desk.prompt: _ready(wall.language)}


def _ready(language: Language) -> Any:
    return gr.Textbox(submit_btn=say("page.draw_send", language), stop_btn=False)


def _opened(shelf: Shelf, wall: Wall) -> Update:
    """Show the pictures as they are now, or how to get a model where none draws."""
    shown = wall.show(shelf.filled())
    try:
        store.locate(wall.models.choose("draw", DrawRequest(prompt="")))
    except KuamoError as error:
        shown[wall.about] = notice(error.line(wall.language))
    return shown
