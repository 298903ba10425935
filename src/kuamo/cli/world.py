"""`kuamo world`: examples from the small world, whose truth is known."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kuamo.cli.session import Session


def world(
    session: Session,
    action: Annotated[Literal["sample"], typer.Argument(help="What to do.")],
    count: Annotated[int, typer.Argument(min=1, max=1_000_000, help="How many pictures.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")],
    domain: Annotated[
        Literal["scenes", "chest"],
        typer.Option(help="Scenes, or chest slices: a drawn phantom, not medical data, for no clinical use."),
    ] = "scenes",
    seed: Annotated[int, typer.Option(help="Another seed, other pictures.")] = 0,
) -> None:
    """Write pictures of the small world and their truth.

    Captions, questions and answers come in Chinese and English.
    """
    from kuamo.cli.output import check_writable
    from kuamo.world.sample import write_sample

    check_writable(out / "metadata.jsonl" if out.exists() else out)
    for _ in session.progress("cli.drawing", write_sample(count, seed, out, domain=domain), count):
        pass
    if domain == "chest":
        session.note(session.say("cli.phantom"))
    session.show(session.say("cli.wrote", name=out), folder=out, pictures=count)
