"""What the tabs share: conversations, notices, where a result came from, the menu of models, pictures as they are."""

import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from html import escape
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import gradio as gr

from kuamo.contracts import Capability, Message, Trace
from kuamo.errors import KuamoError
from kuamo.media.image import Image
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.store import is_here, is_url
from kuamo.stream import Stream

log = logging.getLogger(__name__)
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}  # of an event
SHOWN_PIXELS = 1280  # the longer side of a picture in HTML
BEAT_SECONDS = 0.2
Update = TypeVar("Update")
Result = TypeVar("Result")


def picture_upload(placeholder: str, **options: Any) -> gr.Image:
    """Return a place for a picture that hands on a file nothing has opened: Kuamo's limits come before any decoding."""
    picture = gr.Image(type="filepath", sources=["upload", "clipboard"], placeholder=placeholder, **options)
    # On the instance, as Gradio writes a .pyi file beside a subclass's source; so never an event's `gr.update`.
    picture.preprocess = lambda payload: payload.path if payload else None  # type: ignore[method-assign]
    return picture


def guarded(updates: Iterator[Update], failed: Callable[[str], Update], language: Language) -> Iterator[Update]:
    """Pass updates on; when one fails, end with `failed(line)`: what to do next, or a general sentence for a bug."""
    try:
        yield from updates
    except KuamoError as error:
        yield failed(error.line(language))
    except Exception:  # a face: the visitor gets a sentence, the log the truth
        log.exception("A request on the page failed")
        yield failed(say("page.unexpected", language))


def in_background(start: Callable[[], Stream[Any, Result]]) -> Generator[Any, None, Result]:
    """Run a stream in a thread of its own; yield its pieces, and None at each beat without one; return its result.

    So whoever listens can leave at once, also while the stream waits for its turn; it then stops at its next piece.
    """
    arrived: SimpleQueue[Any] = SimpleQueue()
    left = threading.Event()

    def run() -> Result | None:
        with closing(start()) as stream:
            for piece in stream:
                arrived.put(piece)
                if left.is_set():
                    return None
            return stream.result()

    pool = ThreadPoolExecutor(1, "page")
    pool.submit(run).add_done_callback(arrived.put)
    pool.shutdown(wait=False)
    try:
        while not isinstance(piece := _next(arrived), Future):
            yield piece
        result: Result | None = piece.result()
        assert result is not None  # nobody has left
        return result
    finally:
        left.set()


def _next(arrived: SimpleQueue[Any]) -> Any:
    try:
        return arrived.get(timeout=BEAT_SECONDS)
    except Empty:
        return None


@contextmanager
def removed_if_bad(file: Path) -> Iterator[Path]:
    """Delete an upload that cannot be read; the good ones go after `upload_seconds`."""
    try:
        yield file
    except KuamoError:
        file.unlink(missing_ok=True)
        raise


def conversation_log(blank: str, name: str) -> gr.HTML:
    """Return the place of a conversation, which follows its end; `blank` is shown before it begins."""
    return gr.HTML(blank, max_height=460, autoscroll=True, elem_id=name, elem_classes="log")


def transcript(
    messages: Iterable[Message], blank: str, asked: str = "", said: str = "", notes: Iterable[str] = ()
) -> str:
    """Return a conversation and the turn that goes on as HTML, `notes` (HTML) under its answers; `blank` if empty."""
    turns = [*((message.role, message.text) for message in messages), ("user", asked), ("assistant", said)]
    under = iter(notes)
    bubbles = [
        f'<p class="{role}">{escape(text)}</p>' + (next(under, "") if role == "assistant" else "")
        for role, text in turns
        if text
    ]
    return f'<div class="bubbles" role="log">{"".join(bubbles)}</div>' if bubbles else blank


def notice(line: str) -> str:
    """Return a fault as HTML."""
    return f'<div class="notice" role="alert">{escape(line)}</div>'


def empty(line: str) -> str:
    """Return the words of a place where nothing is yet, as HTML."""
    return f'<div class="empty">{escape(line)}</div>'


def busy(line: str) -> str:
    """Return words for work that goes on, as HTML."""
    return f'<div class="busy" role="status"><i></i><i></i><i></i><span>{escape(line)}</span></div>'


def progress(line: str, done: int, total: int) -> str:
    """Return how far work has come as HTML: a line and a bar."""
    bar = f'<progress value="{done}" max="{total}" aria-label="{escape(line)}"></progress>'
    return f'<div class="progress" role="status"><span>{escape(line)}</span>{bar}</div>'


def picture(image: Image, alt: str) -> str:
    """Return a picture as HTML, made smaller where it is large."""
    shown, data = image.pil(), BytesIO()
    shown.thumbnail((SHOWN_PIXELS, SHOWN_PIXELS))
    shown.save(data, "WEBP", quality=90)
    return (
        f'<img src="data:image/webp;base64,{b64encode(data.getvalue()).decode()}" alt="{escape(alt)}" decoding="sync">'
    )


def sources(traces: Iterable[Trace], language: Language) -> str:
    """Return what did the work and how long it took, as HTML; the exact source shows on hovering."""
    return '<p class="sources">' + "".join(_source(trace, language) for trace in traces) + "</p>"


def _source(trace: Trace, language: Language) -> str:
    line = say(f"page.by_{trace.capability}", language, model=trace.model, seconds=trace.seconds)
    exact = f"{trace.source}@{trace.revision}, {trace.device}, {trace.precision}"
    return f'<span title="{escape(exact)}">{escape(line)}</span>'


def model_menu(capability: Capability, models: Models, language: Language) -> Any:
    """Return the menu of models: those of the profile and those on this machine. "" is the automatic choice.

    It is hidden where there is nothing to choose.
    """
    profile = models.settings.profile
    names = [
        model.name
        for model in models.catalogue.serving(capability)
        if profile in model.profiles or (not is_url(model.source) and is_here(model))
    ]
    return gr.Dropdown(
        choices=[(say("page.automatic", language), ""), *((name, name) for name in names)],
        value="", label=say("page.model", language), visible=bool(names), elem_classes="menu",
    )  # fmt: skip
