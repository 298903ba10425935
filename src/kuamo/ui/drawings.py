"""The pictures drawn: each opened with its settings, used again, saved, sharpened, deleted.

They are kept in the operator's folder where only this machine can reach the page; elsewhere each visitor has a folder
that goes when the visitor does.
"""

import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import PIL.Image

from kuamo.capabilities.gallery import Entry, read_gallery, save_picture
from kuamo.contracts import DrawRequest, Picture, Restoration, Trace
from kuamo.media.image import Image, read_image
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.ui.widgets import QUIET, empty, picture, sources

MOST = 60  # pictures shown
THUMBNAIL_PIXELS = 320
Update = dict[Any, Any]


@dataclass(frozen=True)
class Shelf:
    """A visitor's pictures: where they lie, which are shown, newest first, which is open, whether it is to go."""

    folder: Path | None
    private: bool
    shown: tuple[Entry, ...] = ()
    chosen: Entry | None = None
    doubted: bool = False

    def filled(self) -> "Shelf":
        """Return it as its folder is now."""
        shown = tuple(read_gallery(self.folder, MOST)) if self.folder else ()
        return replace(self, shown=shown, chosen=self.chosen if self.chosen in shown else None, doubted=False)

    def added(
        self, made: Picture, request: DrawRequest, traces: tuple[Trace, ...], original: str | None = None
    ) -> "Shelf":
        """Return it with a picture written to its folder, which is open now. Raises KuamoError cannot_write."""
        folder = self.folder or Path(tempfile.mkdtemp(prefix="kuamo-drawings-"))
        path = save_picture(made, request, traces, folder, original)
        shelf = replace(self, folder=folder).filled()
        return replace(shelf, chosen=next(entry for entry in shelf.shown if entry.path == path))

    def sharpened(self, restored: Restoration) -> "Shelf":
        """Return it with the open picture made sharper, which is open now, beside it."""
        assert self.chosen is not None
        used = self.chosen.settings
        names = ("prompt", "negative_prompt", "steps", "guidance", "scheduler", "seed", "model", "strength")
        request = DrawRequest(**{name: used[name] for name in names})
        traces = (*_traces(self.chosen), *restored.traces)
        return self.added(Picture(restored.image, used["seed"]), request, traces, used["original"])

    def forget(self) -> None:
        """Delete the folder of a visitor who has gone."""
        if self.private and self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Wall:
    """The widgets that show a shelf, and the buttons for the picture that is open."""

    models: Models
    language: Language
    shelf: Any
    canvas: Any
    about: Any
    actions: Any
    again: Any
    reuse: Any
    start: Any
    sharpen: dict[int, Any]
    save: Any
    delete: Any
    history: Any
    gallery: Any

    @property
    def outputs(self) -> list[Any]:
        """What `show` changes."""
        return [
            self.shelf, self.canvas, self.about, self.actions, self.save, self.delete, self.history, self.gallery,
        ]  # fmt: skip

    def show(self, shelf: Shelf) -> Update:
        """Return the changes that show a shelf, the open picture large."""
        entry, seed = shelf.chosen, say("page.seed", self.language)
        shown: Update = {
            self.shelf: shelf,
            self.history: gr.Column(visible=bool(shelf.shown)),
            self.gallery: [(_thumbnail(entry.path), f"{seed} {entry.settings['seed']}") for entry in shelf.shown],
            self.actions: gr.Row(visible=entry is not None),
            self.delete: say("page.delete_sure" if shelf.doubted else "page.delete", self.language),
            self.canvas: blank(self.language),
            self.about: "",
        }
        if entry is not None:
            shown[self.canvas] = picture(self.opened(shelf), entry.settings["prompt"])
            shown[self.about] = self._about(entry)
            shown[self.save] = self.save.move_resource_to_block_cache(entry.path)
        return shown

    def opened(self, shelf: Shelf) -> Image:
        """Return the picture that is open. Raises what `read_image` raises."""
        assert shelf.chosen is not None
        return read_image(shelf.chosen.path, self.models.settings.limits)

    def _about(self, entry: Entry) -> str:
        """Return what is known of a picture as HTML: its prompt, its settings, where it came from."""
        settings = entry.settings
        prompt = settings["original"] or settings["prompt"]
        named = (
            f"{say(f'page.{name}', self.language)} {settings[name]}"
            for name in ("seed", "steps", "guidance", "scheduler")
            if settings[name] is not None
        )
        facts = " · ".join((f"{settings['width']} × {settings['height']}", *named))
        return (
            f'<p class="words">{escape(prompt)}</p><p class="facts">{escape(facts)}</p>'
            + sources(_traces(entry), self.language)
        )  # fmt: skip


def hang(models: Models, folder: Path | None, language: Language) -> Wall:
    """Lay out the wall and wire its gallery and buttons."""
    shelf = gr.State(Shelf(folder, private=folder is None), delete_callback=Shelf.forget)
    with gr.Column(elem_id="easel"):
        canvas = gr.HTML(blank(language), elem_id="canvas")
        about = gr.HTML("", elem_id="drawn")
        with gr.Row(visible=False, elem_classes="chips", elem_id="actions") as actions:
            chip = partial(gr.Button, size="sm", elem_classes="chip")
            save = gr.DownloadButton(say("page.save", language), size="sm", elem_classes="chip", elem_id="save")
            again, reuse, start = (
                chip(say(f"page.{name}", language), elem_id=name) for name in ("again", "reuse", "draw_over")
            )
            sharpen = {scale: chip(say(f"page.sharpen_{scale}", language)) for scale in (1, 2, 4)}
            delete = chip(say("page.delete", language), elem_id="delete")
    with gr.Column(visible=False, elem_id="history") as history:
        gr.HTML(
            f'<p class="facts">{escape(say("page.kept_yours" if folder is None else "page.kept_here", language))}</p>'
        )
        gallery = gr.Gallery(
            show_label=False, interactive=False, allow_preview=False, columns=4, object_fit="cover", height="auto",
            buttons=[], fit_columns=False, elem_id="drawings", elem_classes="tiles",
        )  # fmt: skip
    wall = Wall(
        models, language, shelf, canvas, about, actions, again, reuse, start, sharpen, save, delete, history, gallery
    )

    def choose(shelf: Shelf, event: gr.SelectData) -> Update:
        return wall.show(replace(shelf, chosen=shelf.shown[event.index], doubted=False).filled())

    gallery.select(choose, shelf, wall.outputs, **QUIET)
    delete.click(partial(_deleted, wall=wall), shelf, wall.outputs, **QUIET)
    return wall


def blank(language: Language) -> str:
    """Return what is shown before anything is drawn."""
    return empty(say("page.draw_empty", language))


def _deleted(shelf: Shelf, wall: Wall) -> Update:
    """Delete the open picture, once it was asked for twice."""
    if shelf.chosen is None:
        return wall.show(shelf)
    if not shelf.doubted:
        return {wall.shelf: replace(shelf, doubted=True), wall.delete: say("page.delete_sure", wall.language)}
    shelf.chosen.path.unlink(missing_ok=True)
    return wall.show(shelf.filled())


def _traces(entry: Entry) -> tuple[Trace, ...]:
    return tuple(Trace(**trace) for trace in entry.settings["traces"])


def _thumbnail(path: Path) -> PIL.Image.Image:
    return _cached_thumbnail(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4 * MOST)
def _cached_thumbnail(path: Path, _: int) -> PIL.Image.Image:
    with PIL.Image.open(path, formats=("PNG",)) as opened:
        opened.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
        return opened.convert("RGB")
