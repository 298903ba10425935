"""Ask a picture: it stays, and questions and answers about it follow each other; what was read in it is marked on it.

Each session keeps its own conversation. A new picture begins a new one.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import PIL.Image

from kuamo.capabilities.conversation import AskRequest, Conversation, ask
from kuamo.contracts import Line
from kuamo.media.image import Image, read_image
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.ui.widgets import (
    busy,
    conversation_log,
    empty,
    guarded,
    model_menu,
    notice,
    picture_upload,
    removed_if_bad,
    sources,
    transcript,
)

SAMPLES = Path(__file__).parent
EXAMPLES = {  # what a button says, and what it asks
    "page.describe": "prompt.caption",
    "page.example_version": "page.example_version",
    "page.example_password": "page.example_password",
}
Update = tuple[Any, Any, Any, Any, Any]  # turns, status, mark on the picture, thread, question


@dataclass(frozen=True)
class Thread:
    """A session's conversation, and the upload it is about."""

    file: str | None = None
    conversation: Conversation = field(default_factory=Conversation)


def tab(language: Language, models: Models) -> None:
    """Lay the tab out and wire it."""
    blank = empty(say("page.answer_empty", language))
    with gr.Tab(say("page.ask", language), id="ask"), gr.Row(elem_classes="workspace"):
        thread = gr.State(Thread())
        with gr.Column(scale=5, min_width=300):
            with gr.Column(elem_id="stage"):
                picture = picture_upload(
                    say("page.drop_picture", language), height=500, show_label=False, buttons=[], elem_id="picture"
                )
                place = gr.HTML("", elem_id="place")
            with gr.Row(elem_classes="chips"):
                sample = gr.Button(say("page.sample", language), size="sm", elem_classes="chip", elem_id="sample")
        with gr.Column(scale=6, min_width=300):
            turns = conversation_log(blank, "answer")
            status = gr.HTML("", elem_id="answered")
            question = gr.Textbox(
                placeholder=say("page.question", language), label=say("page.question_label", language), max_lines=4,
                show_label=False, submit_btn=say("page.send", language), elem_id="question",
            )  # fmt: skip
            with gr.Row(elem_classes="chips"):
                chips = {key: gr.Button(say(key, language), size="sm", elem_classes="chip") for key in EXAMPLES}
            with gr.Row(elem_classes="chips"):
                model = model_menu("answer", models, language)
                anew = gr.Button(say("page.new_conversation", language), size="sm", elem_classes="chip")
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    wire: dict[str, Any] = {
        "fn": partial(_ask, models=models, language=language), "inputs": [picture, question, thread, model],
        "outputs": [turns, status, place, thread, question], **quiet,
    }  # fmt: skip
    asked = [question.submit(**wire)]
    for key, chip in chips.items():
        text = say(EXAMPLES[key], language)
        asked.append(chip.click(lambda text=text: text, None, question, **quiet).then(**wire))
    sample.click(lambda: PIL.Image.open(SAMPLES / f"sample-{language}.png"), None, picture, **quiet)
    begins = [anew.click, picture.clear, sample.click]  # who drops a picture on another clears that first
    # One after the other: what comes with a cancel can be lost.
    gr.on(begins, None, cancels=asked, **quiet).then(
        lambda before: (blank, "", "", _anew(before)), thread, [turns, status, place, thread], **quiet
    )


def _anew(thread: Thread) -> Thread:
    """Begin again; what was read in the picture still holds for it."""
    return Thread(thread.file, Conversation(reading=thread.conversation.reading))


def _ask(
    picture: str | None, question: str, thread: Thread, model: str, *, models: Models, language: Language
) -> Iterator[Update]:
    thread = thread if thread.file == picture else Thread(picture)
    shown = partial(transcript, thread.conversation.messages, empty(say("page.answer_empty", language)))

    def failed(line: str) -> Update:
        return shown(), notice(line), gr.skip(), gr.skip(), question

    if not question.strip():
        yield failed(say("page.no_question", language))
    elif not picture or not Path(picture).is_file():
        yield failed(say("page.no_picture", language))
    else:
        yield shown(question), busy(say("page.looking", language)), "", gr.skip(), ""
        request = partial(AskRequest, question=question, conversation=thread.conversation, model=model or None)
        yield from guarded(_turn(Path(picture), request, shown, models, language), failed, language)


def _turn(
    file: Path, request: Callable[..., AskRequest], shown: Callable[..., str], models: Models, language: Language
) -> Iterator[Update]:
    with removed_if_bad(file):
        image = read_image(file, models.settings.limits)
    asked = request(image=image)
    with closing(ask(asked, models)) as stream:
        said = ""
        for piece in stream:
            said += piece
            yield shown(asked.question, said), gr.skip(), gr.skip(), gr.skip(), gr.skip()
        turn = stream.result()
    place = mark(image, turn.reply.places, say("page.place", language))
    done = Thread(str(file), turn.conversation)
    yield shown(asked.question, turn.reply.text), sources(turn.reply.traces, language), place, done, gr.skip()


def mark(image: Image, places: tuple[Line, ...], label: str) -> str:
    """Return HTML to lay over a picture: places outlined and the rest dimmed; empty without places."""
    if not places:
        return ""
    boxes = "".join(map(_box, places))
    everywhere = '<rect width="100%" height="100%"'
    return (
        f'<svg viewBox="0 0 {image.width} {image.height}" role="img" aria-label="{escape(label)}">'
        f'<mask id="lit">{everywhere} fill="#fff"/>{boxes}</mask>{everywhere} class="dim" mask="url(#lit)"/>'
        f'<g class="halo">{boxes}</g><g class="outline">{boxes}</g></svg>'
    )


def _box(line: Line) -> str:
    """Return the rectangle around a line, a quarter of its height away from it, in the picture's pixels."""
    across, down = zip(*line.corners, strict=True)
    margin = (max(down) - min(down)) / 4
    left, top = min(across) - margin, min(down) - margin
    width, height = max(across) + margin - left, max(down) + margin - top
    return f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" rx="{margin:.0f}"/>'
