"""`kuamo serve`: the HTTP server and the page."""

from typing import Annotated

import typer

from kuamo.cli.session import Session


def serve(
    session: Session,
    host: Annotated[str | None, typer.Option(help="The address to listen on; 0.0.0.0 lets other machines in.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
) -> None:
    """Serve the page and the HTTP interface until Ctrl-C."""
