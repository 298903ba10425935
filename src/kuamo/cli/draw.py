"""`kuamo draw`: a prompt to pictures."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kuamo.cli.session import Session
from kuamo.errors import KuamoError

if TYPE_CHECKING:
    from kuamo.contracts import Drawing, DrawRequest, DrawStep, Picture
    from kuamo.stream import Stream

ENDING = ".png"


def draw(
    session: Session,
    prompt: Annotated[str, typer.Argument(help="What to draw, in a language that the model reads.")],
    negative: Annotated[str, typer.Option(help="What is not wanted in the picture.")] = "",
    style: Annotated[str, typer.Option(help="photo, oil, cartoon, watercolour or sketch: named in the prompt.")] = "",
    quality: Annotated[
        Literal["standard", "high", "best"], typer.Option(help="How good to ask for: named in the prompt.")
    ] = "standard",
    size: Annotated[str | None, typer.Option(metavar="WIDTHxHEIGHT", help="In pixels, as in 768x512.")] = None,
    width: Annotated[int | None, typer.Option(help="In pixels, a multiple of 8.")] = None,
    height: Annotated[int | None, typer.Option(help="In pixels, a multiple of 8.")] = None,
    steps: Annotated[int | None, typer.Option(help="More take longer and show finer detail.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How closely to keep to the prompt.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="dpm++, euler, euler-a, ddim, unipc or lcm.")] = None,
    count: Annotated[int, typer.Option(help="How many pictures, 1 to 4.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Draws the same pictures again: the n-th has this plus n.")] = None,
    image: Annotated[Path | None, typer.Option(help="A picture to draw over.")] = None,
    mask: Annotated[Path | None, typer.Option(help="As large as the picture; only where it is white is drawn.")] = None,
    strength: Annotated[float | None, typer.Option(help="How much to change the picture, 0.01 to 1.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="A .png file, or a folder for files named by the time.")
    ] = Path(),
) -> None:
    """Draw pictures of a prompt. What is left out is the model's own.

    The settings are kept in each file.
    """
    from kuamo.capabilities.draw import draw
    from kuamo.cli.output import plain

    _check_out(out)
    numbers = _sides(size, width, height) | {
        "steps": steps, "guidance": guidance, "scheduler": scheduler, "count": count, "seed": seed,
        "strength": strength,
    }  # fmt: skip
    pictures = {"image": image, "mask": mask}
    request = _request(session, _enriched(session, prompt, style, quality), negative, pictures, numbers)
    drawing = _with_progress(session, draw(request, session.models))
    if drawing.original:
        session.note(session.say("cli.translated", text=drawing.request.prompt))
    made = list(zip(_save(drawing, out), (picture.seed for picture in drawing.pictures), strict=True))
    files = [{"path": path, "seed": seed} for path, seed in made]
    lines = (_line(session, path, seed) for path, seed in made)
    session.show("\n".join(lines), **(plain(drawing) | {"pictures": files}))
    session.note_source(drawing.traces)


def _check_out(out: Path) -> None:
    """Raise KuamoError cannot_write or unknown_ending, before long work, for a place that no picture can be put in."""
    from PIL.Image import registered_extensions

    from kuamo.cli.output import check_writable

    if _is_file(out):
        check_writable(out)
        return
    if out.suffix.lower() in registered_extensions() and not out.exists():
        raise KuamoError("unknown_ending", name=out.name, possible=ENDING)
    nearest = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    check_writable(nearest / f"drawing{ENDING}")


def _is_file(out: Path) -> bool:
    return out.suffix.lower() == ENDING and not out.is_dir()


def _sides(size: str | None, width: int | None, height: int | None) -> dict[str, int | None]:
    """Return both sides: what is given for one alone goes before the size."""
    from kuamo.capabilities.draw import size_named

    named = (None, None) if size is None else size_named(size)
    return {"width": named[0] if width is None else width, "height": named[1] if height is None else height}


def _enriched(session: Session, prompt: str, style: str, quality: str) -> str:
    from kuamo.capabilities.enrich import enrich

    enriched = enrich(prompt, style, quality)
    if enriched != prompt:
        session.note(session.say("cli.enriched", text=enriched))
    return enriched


def _request(
    session: Session, prompt: str, negative: str, pictures: dict[str, Path | None], numbers: dict[str, Any]
) -> "DrawRequest":
    from kuamo.contracts import DrawRequest
    from kuamo.media.image import read_image

    read: dict[str, Any] = {name: read_image(path, session.settings.limits) for name, path in pictures.items() if path}
    given = {name: value for name, value in numbers.items() if value is not None}
    return DrawRequest(prompt=prompt, negative_prompt=negative, **read, **given)


def _with_progress(session: Session, stream: "Stream[DrawStep | Picture, Drawing]") -> "Drawing":
    """Run a drawing to its end; Ctrl-C stops it within a step."""
    from kuamo.contracts import DrawStep

    hidden = not sys.stderr.isatty()
    with (
        closing(stream),
        typer.progressbar(length=1, label=session.say("cli.drawing"), hidden=hidden, file=sys.stderr) as bar,
    ):
        for event in stream:
            if isinstance(event, DrawStep):
                bar.length = event.steps
                bar.update(event.step - bar.pos)
        return stream.result()


def _save(drawing: "Drawing", out: Path) -> list[Path]:
    from kuamo.capabilities.gallery import as_png, save_picture
    from kuamo.media.files import write

    request, traces, original = drawing.request, drawing.traces, drawing.original
    if not _is_file(out):
        return [save_picture(picture, request, traces, out, original) for picture in drawing.pictures]
    paths = [out.with_stem(f"{out.stem}-{number}") for number in range(1, len(drawing.pictures) + 1)]
    paths = paths if len(paths) > 1 else [out]
    for path, picture in zip(paths, drawing.pictures, strict=True):
        write(path, as_png(picture, request, traces, original))
    return paths


def _line(session: Session, path: Path, seed: int | None) -> str:
    return str(path) if seed is None else session.say("cli.drawn", name=path, seed=seed)
