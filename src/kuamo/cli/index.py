"""`kuamo index`: a folder of pictures made ready for `kuamo find`."""

from pathlib import Path
from typing import Annotated

import typer

from kuamo.cli.session import Session


def index(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of pictures; its subfolders count.")],
) -> None:
    """Index a folder of pictures for `kuamo find`.

    Run again, it takes up new, changed and deleted pictures only. The index lies in DIR/.kuamo.
    """
    from itertools import chain

    from kuamo.capabilities.search import index_folder
    from kuamo.cli.output import plain

    stream = index_folder(folder, session.models)
    for first in stream:
        for _ in session.progress("cli.indexing", chain([first], stream), first.total):
            pass
    report = stream.result()
    counts = {name: getattr(report, name) for name in ("added", "changed", "removed", "unchanged")}
    dropped = [
        {"path": one.path, "code": one.fault.code, "reason": one.fault.message(session.language)}
        for one in report.dropped
    ]
    text = session.say("cli.indexed", folder=folder, **counts)
    session.show(text, **plain(report) | {"folder": folder, "dropped": dropped})
    if report.former:
        session.note(session.say("cli.indexed_anew", former=report.former))
    for one in dropped:
        session.note(f"{one['path']}: {one['reason']}")
    if report.traces:
        session.note_source(report.traces)
