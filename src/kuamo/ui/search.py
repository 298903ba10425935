"""Search: a text or a picture in, the pictures of the operator's folder that fit it out, the best match first."""

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import PIL.Image

from kuamo.capabilities.picture_index import Hit
from kuamo.capabilities.search import Found, find
from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.ui.widgets import busy, empty, guarded, notice, picture_upload, removed_if_bad, sources

log = logging.getLogger(__name__)
SHOWN = 12
SHOWN_PIXELS = 640  # the longer side of a picture in the gallery
UNREADY = ("no_folder", "no_index", "index_of_another_model", "index_unusable", "search_missing")
Update = tuple[Any, Any]  # the line above the gallery, the gallery


def tab(language: Language, models: Models, folder: Path | None) -> None:
    """Lay the tab out and wire it; without a folder to search in, say how to give one."""
    with gr.Tab(say("page.search", language), id="search"):
        if folder is None:
            gr.HTML(empty(say("page.search_off", language)), elem_id="found")
            return
        with gr.Row(elem_classes="workspace"):
            with gr.Column(scale=5, min_width=300):
                query = gr.Textbox(
                    placeholder=say("page.search_query", language), label=say("page.search_label", language),
                    max_lines=4, show_label=False, submit_btn=say("page.search_send", language), elem_id="query",
                )  # fmt: skip
                picture = picture_upload(
                    say("page.search_drop", language), height=220, show_label=False, buttons=[], elem_id="like"
                )
            with gr.Column(scale=6, min_width=300):
                status = gr.HTML(empty(say("page.search_empty", language)), elem_id="found")
                gallery = gr.Gallery(
                    visible=False, interactive=False, show_label=False, columns=3, object_fit="cover", height="auto",
                    buttons=[], fit_columns=False, elem_id="gallery", elem_classes="tiles",
                )  # fmt: skip
    for happens, asked, by in ((query.submit, query, _by_text), (picture.input, picture, _by_picture)):
        happens(
            partial(by, folder=folder, models=models, language=language), asked, [status, gallery],
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip


def _by_text(text: str, *, folder: Path, models: Models, language: Language) -> Iterator[Update]:
    yield from guarded(_found(text, folder, models, language), _failed, language)


def _by_picture(picture: str | None, *, folder: Path, models: Models, language: Language) -> Iterator[Update]:
    if picture:
        yield from guarded(_found(Path(picture), folder, models, language), _failed, language)


def _failed(line: str) -> Update:
    return notice(line), gr.Gallery(visible=False)


def _found(query: str | Path, folder: Path, models: Models, language: Language) -> Iterator[Update]:
    yield busy(say("page.searching", language)), gr.skip()
    try:
        found = find(_read(query, models), folder, models, SHOWN)
    except KuamoError as error:
        if error.code not in UNREADY:
            raise
        log.warning(error.line("en"))  # it names the folder: for the operator, not for visitors
        yield _failed(say("page.search_unready", language))
        return
    shown = list(_shown(found, models))
    if shown:
        yield sources(found.traces, language), gr.Gallery(shown, visible=True)
    else:
        yield empty(say("page.search_none", language)), gr.Gallery(visible=False)


def _read(query: str | Path, models: Models) -> str | Image:
    if isinstance(query, str):
        return query
    with removed_if_bad(query) as file:
        return read_image(file, models.settings.limits)


def _shown(found: Found, models: Models) -> Iterator[tuple[PIL.Image.Image, str]]:
    """Yield small copies of the pictures: the files themselves are never sent."""
    for hit in found.hits:
        try:
            picture = read_image(hit.path, models.settings.limits).pil()
        except KuamoError:  # damaged since it was indexed
            continue
        picture.thumbnail((SHOWN_PIXELS, SHOWN_PIXELS))
        yield picture, _caption(hit)


def _caption(hit: Hit) -> str:
    return f"{hit.score:.2f} · {hit.path.name}"
