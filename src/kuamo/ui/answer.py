"""Ask a picture: a picture and a question in, the answer out, with the place it was read from marked."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import PIL.Image
import PIL.ImageDraw
import PIL.ImageEnhance

from kuamo.capabilities.answer import answer
from kuamo.contracts import Answer, ChatRequest, Line, Message
from kuamo.media.image import Image, read_image
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.ui.theme import ACCENT
from kuamo.ui.widgets import busy, empty, guarded, model_menu, notice, picture_upload, removed_if_bad, sources

SAMPLES = Path(__file__).parent
EXAMPLES = ("page.example_version", "page.example_password", "page.example_see")
SHOWN_PIXELS = 1600  # the longer side of the marked picture
Update = tuple[Any, Any]  # the answer's card, the marked picture


def tab(language: Language, models: Models) -> None:
    """Lay the tab out and wire it."""
    with gr.Tab(say("page.ask", language), id="ask"), gr.Row(elem_classes="workspace"):
        with gr.Column(scale=5, min_width=300):
            picture = picture_upload(
                say("page.drop_picture", language), height=340, show_label=False, buttons=[], elem_id="picture"
            )
            question = gr.Textbox(
                placeholder=say("page.question", language), label=say("page.question_label", language), max_lines=4,
                show_label=False, submit_btn=say("page.send", language), elem_id="question",
            )  # fmt: skip
            with gr.Row(elem_classes="chips"):
                sample = gr.Button(say("page.sample", language), size="sm", elem_classes="chip", elem_id="sample")
                chips = [gr.Button(say(key, language), size="sm", elem_classes="chip") for key in EXAMPLES]
            model = model_menu("answer", models, language)
        with gr.Column(scale=6, min_width=300):
            card = gr.HTML(empty(say("page.answer_empty", language)), elem_id="answer")
            marked = gr.Image(
                visible=False, interactive=False, show_label=False, buttons=["fullscreen", "download"], elem_id="marked"
            )
    wire: dict[str, Any] = {
        "fn": partial(_ask, models=models, language=language), "inputs": [picture, question, model],
        "outputs": [card, marked], "show_progress": "hidden", "api_visibility": "private",
    }  # fmt: skip
    question.submit(**wire)
    sample.click(
        lambda: PIL.Image.open(SAMPLES / f"sample-{language}.png"), None, picture, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    for chip in chips:
        chip.click(lambda text: text, chip, question, show_progress="hidden", api_visibility="private").then(**wire)


def _ask(picture: str | None, question: str, model: str, *, models: Models, language: Language) -> Iterator[Update]:
    yield from guarded(_answer(picture, question, model, models, language), _failed, language)


def _failed(line: str) -> Update:
    return notice(line), gr.Image(visible=False)


def _answer(picture: str | None, question: str, model: str, models: Models, language: Language) -> Iterator[Update]:
    if not picture or not Path(picture).is_file() or not question.strip():
        yield _failed(say("page.no_picture" if question.strip() else "page.no_question", language))
        return
    yield busy(say("page.looking", language)), gr.Image(visible=False)
    with removed_if_bad(Path(picture)) as file:
        image = read_image(file, models.settings.limits)
    request = ChatRequest(messages=(Message("user", question, (image,)),), model=model or None)
    with closing(answer(request, models)) as stream:
        written = ""
        for piece in stream:
            written += piece
            yield _card(question, written), gr.skip()
        result = stream.result()
    yield _shown(question, result, image, language)


def _shown(question: str, result: Answer, image: Image, language: Language) -> Update:
    card = _card(question, result.text, sources(result.traces, language))
    if not result.places:
        return card, gr.skip()
    return card, gr.Image(mark(image, result.places), visible=True)


def _card(question: str, text: str, below: str = "") -> str:
    length = "short" if len(text) <= 40 else "long"
    return (
        f'<article class="answer"><p class="asked">{escape(question)}</p>'
        f'<p class="text {length}">{escape(text)}</p>{below}</article>'
    )


def mark(image: Image, places: tuple[Line, ...]) -> PIL.Image.Image:
    """Return the picture with places outlined and the rest dimmed; at most SHOWN_PIXELS on its longer side."""
    picture = image.pil()
    picture.thumbnail((SHOWN_PIXELS, SHOWN_PIXELS))
    scale = picture.width / image.width
    stroke = max(3, picture.width // 180)
    boxes = [_box(line, scale, stroke * 2) for line in places]
    light = PIL.Image.new("L", picture.size, 0)
    for box in boxes:
        PIL.ImageDraw.Draw(light).rounded_rectangle(box, stroke * 3, fill=255)
    marked = PIL.Image.composite(picture, PIL.ImageEnhance.Brightness(picture).enhance(0.84), light)
    pen = PIL.ImageDraw.Draw(marked)
    for left, top, right, bottom in boxes:
        halo = (left - stroke, top - stroke, right + stroke, bottom + stroke)
        pen.rounded_rectangle(halo, stroke * 4, outline="white", width=stroke)
        pen.rounded_rectangle((left, top, right, bottom), stroke * 3, outline=ACCENT, width=stroke)
    return marked


def _box(line: Line, scale: float, margin: int) -> tuple[float, float, float, float]:
    across = [x * scale for x, _ in line.corners]
    down = [y * scale for _, y in line.corners]
    return min(across) - margin, min(down) - margin, max(across) + margin, max(down) + margin
