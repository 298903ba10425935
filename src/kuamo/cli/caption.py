"""`kuamo caption`: pictures described."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kuamo.cli.session import Session
from kuamo.errors import KuamoError


def caption(
    session: Session,
    pictures: Annotated[list[Path], typer.Argument(help="JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.")],
    language: Annotated[
        Literal["en", "zh"] | None, typer.Option(help="The language of the captions; yours where not given.")
    ] = None,
) -> None:
    """Describe pictures.

    Each is a line: its name, a tab, the caption. Those that cannot be read are told, and the others go on.
    """
    from kuamo.capabilities.caption import caption
    from kuamo.cli.output import plain
    from kuamo.contracts import Trace
    from kuamo.media.image import read_image

    captions: list[dict[str, Any]] = []
    traces: list[Trace] = []
    for path in pictures:
        try:
            image = read_image(path, session.settings.limits)
        except KuamoError as error:
            captions.append({"path": path, "error": session.tell(error)})
            continue
        described = caption(image, session.models, language or session.language)
        captions.append({"path": path, **plain(described)})
        traces += described.traces
        if not session.as_json:
            typer.echo(f"{path}\t{' '.join(described.text.split())}")
    if traces:
        session.note_source(tuple(traces))
    session.conclude(captions=captions)
