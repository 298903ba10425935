"""The commands put together."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from kuamo import __version__
from kuamo.cli.align import align
from kuamo.cli.answer import ask
from kuamo.cli.caption import caption
from kuamo.cli.data import data
from kuamo.cli.doctor import doctor
from kuamo.cli.draw import draw
from kuamo.cli.evaluate import evaluate
from kuamo.cli.find import find
from kuamo.cli.index import index
from kuamo.cli.models import models
from kuamo.cli.restore import restore
from kuamo.cli.serve import serve
from kuamo.cli.session import command
from kuamo.cli.speak import speak
from kuamo.cli.talk import talk
from kuamo.cli.transcribe import transcribe
from kuamo.cli.world import world

app = typer.Typer(
    help="Multimodal AI from one install: ask pictures, draw, talk, transcribe, align, speak.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for run in (ask, caption, draw, restore, talk, transcribe, speak, align, index, find, serve, models, doctor):
    app.command()(command(run))
app.command("eval")(command(evaluate))
app.command()(command(world))
app.add_typer(data, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kuamo {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line: exit 0 done, 1 doctor found a fault, 2 an error was told, 130 stopped by Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a character shows its number instead
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="kuamo")
