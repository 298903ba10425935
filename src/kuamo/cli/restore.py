"""`kuamo restore`: a picture sharper, or larger and as sharp."""

from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kuamo.cli.session import Session
from kuamo.errors import KuamoError

if TYPE_CHECKING:
    from kuamo.contracts import Restoration, RestoreStep
    from kuamo.stream import Stream

ENDING = ".png"


def restore(
    session: Session,
    picture: Annotated[Path, typer.Argument(help="JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Write to this .png file.")],
    scale: Annotated[
        Literal["1", "2", "4"], typer.Option(help="How many times as wide and high; 1 deblurs at its own size.")
    ] = "2",
) -> None:
    """Sharpen a picture, or enlarge it two or four times."""
    from kuamo.capabilities.restore import restoring
    from kuamo.cli.output import check_writable, plain
    from kuamo.contracts import RestoreRequest
    from kuamo.media.files import write
    from kuamo.media.image import read_image

    if out.suffix.lower() != ENDING:
        raise KuamoError("unknown_ending", name=out.name, possible=ENDING)
    check_writable(out)
    request = RestoreRequest(image=read_image(picture, session.settings.limits), scale=_SCALES[scale])
    with closing(restoring(request, session.models)) as stream:
        restoration = _with_progress(session, stream)
    write(out, restoration.image.png())
    session.show(str(out), path=out, **plain(restoration))
    session.note_source(restoration.traces)


_SCALES: dict[str, Literal[1, 2, 4]] = {"1": 1, "2": 2, "4": 4}


def _with_progress(session: Session, stream: "Stream[RestoreStep, Restoration]") -> "Restoration":
    """Run to the end; Ctrl-C stops it within a part of the picture."""
    first = next(stream)
    for _ in session.progress("cli.restoring", chain((first,), stream), first.steps):
        pass
    return stream.result()
