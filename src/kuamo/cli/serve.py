"""`kuamo serve`: the HTTP interface and the page."""

from pathlib import Path
from typing import Annotated

import typer

from kuamo.cli.session import Session
from kuamo.errors import KuamoError


def serve(
    session: Session,
    host: Annotated[str | None, typer.Option(help="The address to listen on; 0.0.0.0 lets other machines in.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = None,
    search: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder, indexed by `kuamo index`, that the page may search.")
    ] = None,
) -> None:
    """Serve the page and the HTTP interface until Ctrl-C."""
    from kuamo.api.app import create_app
    from kuamo.api.server import serve
    from kuamo.ui.page import mount

    chosen = {"host": host, "port": port, "search_folder": search}
    settings = session.settings.model_copy(update={name: value for name, value in chosen.items() if value is not None})
    if settings.search_folder and not settings.search_folder.is_dir():
        raise KuamoError("no_folder", name=settings.search_folder)
    app = mount(create_app(settings, session.models), settings, session.models)
    serve(app, settings, lambda url: session.show(session.say("cli.listening", url=url), url=url))
