"""`kuamo find`: pictures by a text or another picture."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kuamo.cli.session import Session


def find(
    session: Session,
    query: Annotated[str, typer.Argument(help="What to look for, in English or Chinese; or a picture file.")],
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="The folder, indexed by `kuamo index`.")] = Path(),
    count: Annotated[int, typer.Option(help="How many pictures at most, up to 1000.")] = 12,
) -> None:
    """Find pictures by a text or a picture.

    The best match comes first. The score is the cosine similarity, -1 to 1.
    """
    from kuamo.capabilities.search import endings, find
    from kuamo.cli.output import plain
    from kuamo.cli.tables import table
    from kuamo.media.image import read_image

    is_picture = os.path.isfile(query) or Path(query).suffix.lower() in endings()
    wanted = read_image(Path(query), session.settings.limits) if is_picture else query
    found = find(wanted, folder, session.models, count)
    rows = [(str(hit.path), f"{hit.score:.3f}", f"{hit.width}×{hit.height}") for hit in found.hits]
    session.show(table(rows) if rows else session.say("cli.found_nothing"), **plain(found))
    session.note_source(found.traces)
