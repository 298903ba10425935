"""What the commands share: their options, settings and models, and how they speak and fail."""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from kuamo.cli.options import OPTIONS
from kuamo.errors import KuamoError
from kuamo.messages import Language, say

if TYPE_CHECKING:
    from kuamo.contracts import Trace
    from kuamo.runtime import Models
    from kuamo.settings import Settings

Piece = TypeVar("Piece")


@dataclass(frozen=True)
class Session:
    """One run of a command: the settings, the models, the user's language, and the OPTIONS as they were given."""

    settings: "Settings"
    models: "Models"
    language: Language
    options: dict[str, Any]

    @property
    def as_json(self) -> bool:
        """Whether the output is one JSON object."""
        return bool(self.options["json"])

    def say(self, key: str, **values: object) -> str:
        """Return a sentence of messages.toml in the user's language."""
        return say(key, self.language, **values)

    def show(self, human: str, *, status: str = "success", **parts: object) -> None:
        """Print a result on stdout: for people (nothing if empty), or its parts as JSON with a status."""
        from kuamo.cli.output import as_json

        text = as_json(status=status, **parts) if self.as_json else human
        if text:
            typer.echo(text)

    def conclude(self, **rows: list[dict[str, Any]]) -> None:
        """Print rows as JSON, for people nothing; exit 2 where one has an `error` that was told beside the others."""
        failed = any("error" in row for row in chain(*rows.values()))
        self.show("", status="partial" if failed else "success", **rows)
        if failed:
            raise typer.Exit(2)

    def tell(self, error: KuamoError) -> dict[str, str]:
        """Print an error's line on stderr; return the error as JSON shows it."""
        _tell(error, self.language)
        return _fault(error, self.language)

    def note(self, text: str) -> None:
        """Print a dim line on stderr, beside the result."""
        typer.secho(text, err=True, dim=True)

    def note_source(self, traces: "tuple[Trace, ...]") -> None:
        """Note which models made a result and in how many seconds."""
        names = " + ".join(dict.fromkeys(trace.model for trace in traces))
        self.note(self.say("cli.source", models=names, seconds=sum(trace.seconds for trace in traces)))

    def progress(
        self,
        key: str,
        pieces: Iterable[Piece],
        length: int | None = None,
        told: Callable[[Piece | None], str | None] | None = None,
    ) -> Iterator[Piece]:
        """Pass pieces on, with a progress bar named by a sentence on stderr where that is a terminal.

        `told` says what the bar shows of the last piece, where there is one.
        """
        hidden = not sys.stderr.isatty()
        with typer.progressbar(
            pieces, length, label=self.say(key), hidden=hidden, file=sys.stderr, item_show_func=told
        ) as bar:
            yield from bar

    def stream(self, pieces: Iterable[str]) -> None:
        """Print text as it is written, and end its line; with JSON, take the pieces and print nothing."""
        open_line = False
        try:
            for piece in pieces:
                if not self.as_json:
                    typer.echo(piece, nl=False)
                    open_line = True
        finally:
            if open_line:
                typer.echo()


def command(run: Callable[..., None]) -> Callable[..., None]:
    """Return a command: `run`, whose first parameter is the Session, with OPTIONS added and KuamoErrors told."""
    own = list(inspect.signature(run).parameters.values())[1:]
    shared = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=False if name == "json" else None
        )
        for name, kind in OPTIONS.items()
    ]

    @wraps(run)
    def with_session(**given: Any) -> None:
        with _session({name: given.pop(name) for name in OPTIONS}) as session:
            run(session, **given)

    with_session.__dict__["__signature__"] = inspect.Signature([*own, *shared])
    return with_session


@contextmanager
def _session(options: dict[str, Any]) -> Iterator[Session]:
    from kuamo.catalogue import Catalogue
    from kuamo.runtime import Models
    from kuamo.settings import Settings, interface_language

    language = interface_language(options["lang"])
    try:
        settings = Settings.read(
            profile=options["profile"],
            models=_choices(options["model"] or []),
            device=options["device"],
            precision=options["precision"],
            language=options["lang"],
        )
        language = interface_language(settings.language)
        models = Models(Catalogue.load(settings.model), settings)
        try:
            yield Session(settings, models, language, options)
        finally:
            models.close()
    except KuamoError as error:
        if options["json"]:
            from kuamo.cli.output import as_json

            typer.echo(as_json(status="error", error=_fault(error, language)))
        _tell(error, language)
        raise typer.Exit(2) from error


def _choices(given: list[str]) -> dict[str, str] | None:
    for choice in given:
        if not all(choice.partition("=")):
            raise KuamoError("not_a_choice", given=choice)
    return dict(choice.split("=", 1) for choice in given) or None


def _fault(error: KuamoError, language: Language) -> dict[str, str]:
    return {"code": error.code, "message": error.message(language), "hint": error.hint(language)}


def _tell(error: KuamoError, language: Language) -> None:
    sys.stdout.flush()
    typer.echo(" ".join(error.line(language).split()), err=True)
