"""`kuamo models`: what there is, what fits this machine, what is on disk; and the one command that downloads."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from kuamo.cli.completion import complete_model
from kuamo.cli.session import Session
from kuamo.errors import KuamoError

if TYPE_CHECKING:
    from kuamo.catalogue import Model


MOST_LANGUAGES = 5
"""How many of a model's languages the table names; `show` names all."""


def models(
    session: Session,
    action: Annotated[Literal["list", "show", "pull"], typer.Argument(help="What to do.")] = "list",
    names: Annotated[
        list[str] | None,
        typer.Argument(autocompletion=complete_model, help="Names of the catalogue; for pull, hub ids too."),
    ] = None,
) -> None:
    """List, show or pull (download) models.

    --profile takes those of one profile: `kuamo models pull --profile small`.
    """
    {"list": _list, "show": _show, "pull": _pull}[action](session, names or [])


def _list(session: Session, names: list[str]) -> None:
    from kuamo.cli.tables import table

    rows = [_facts(session, model) for model in _chosen(session, names)]
    budget = session.models.budget_gb
    columns = ("name", "capabilities", "profiles", "memory", "fits", "here", "licence", "languages")
    headings = tuple(session.say(f"models.{column}") for column in columns)
    lines = [tuple(_cell(session, row, column, most=MOST_LANGUAGES) for column in columns) for row in rows]
    text = table(lines, headings) if lines else session.say("cli.no_models")
    session.show(text, budget_gb=budget, models=rows)
    session.note(session.say("models.machine", budget=budget))


def _show(session: Session, names: list[str]) -> None:
    from kuamo.cli.tables import table

    if not names:
        raise KuamoError("argument_missing", what="NAME", command="models")
    rows = [_facts(session, model) for model in _chosen(session, names)]
    columns = ("source", "capabilities", "profiles", "memory", "fits", "here", "licence", "languages")
    cards = [
        table((session.say(f"models.{column}"), _cell(session, row, column)) for column in ("name", *columns))
        for row in rows
    ]
    session.show("\n\n".join(cards), models=rows)


def _pull(session: Session, names: list[str]) -> None:
    from kuamo import store

    if not names and session.options["profile"] is None:
        raise KuamoError("argument_missing", what="NAME", command="models")
    pulled = []
    for model in _to_pull(session, names):
        if not store.is_from_hub(model):
            session.note(session.say("cli.in_the_box", name=model.name))
            continue
        size = store.bytes_to_pull(model.source, model.revision)
        session.note(session.say("cli.downloading", name=model.name, megabytes=size / 1e6))
        folder = store.pull(model.source, model.revision)
        pulled.append({"name": model.name, "source": model.source, "bytes": size, "folder": folder})
    session.show("\n".join(f"{row['name']}: {row['folder']}" for row in pulled), pulled=pulled)


def _to_pull(session: Session, names: list[str]) -> "list[Model]":
    """The rows chosen, and a row for each hub id outside the catalogue."""
    from kuamo.catalogue import Model

    known = {name for model in session.models.catalogue.models for name in (model.name, model.source)}
    outside = [name for name in names if name.count("/") == 1 and name not in known]
    listed = [name for name in names if name not in outside]
    rows = _chosen(session, listed) if listed or not names else []
    return [*rows, *(Model(name=name, capabilities=(), engine="", source=name) for name in outside)]


def _chosen(session: Session, names: list[str]) -> "list[Model]":
    rows = session.models.catalogue.models
    for name in names:
        if not any(name in (model.name, model.source) for model in rows):
            raise KuamoError("no_such_model", name=name)
    profile = session.options["profile"]
    rows = tuple(model for model in rows if profile is None or profile in model.profiles)
    return [model for model in rows if not names or model.name in names or model.source in names]


def _facts(session: Session, model: "Model") -> dict[str, Any]:
    from kuamo import store
    from kuamo.contracts import Precision

    memory = {precision: model.memory_gb(precision) for precision in get_args(Precision) if precision != "auto"}
    budget = session.models.budget_gb
    return {
        **model.model_dump(include={"name", "source", "revision", "licence", "parameters"}),
        "capabilities": model.capabilities,
        "profiles": model.profiles,
        "languages": model.languages,
        "memory_gb": memory,
        "fits": [precision for precision, needed in memory.items() if needed <= budget],
        "here": store.is_here(model),
    }


def _cell(session: Session, row: dict[str, Any], column: str, most: int | None = None) -> str:
    from kuamo.settings import Profile
    from kuamo.store import is_url

    match column:
        case "languages" if most and len(row[column]) > most:
            return f"{', '.join(row[column][:most])} … ({len(row[column])})"
        case "memory":
            return _memory(row["memory_gb"])
        case "fits" if 0 < len(row["fits"]) < len(row["memory_gb"]):
            return str(row["fits"][0])
        case "profiles" if len(row[column]) == len(get_args(Profile)):
            return session.say("models.all")
        case "here" if is_url(row["source"]):
            return session.say("models.server")
        case "fits" | "here":
            return session.say("models.yes" if row[column] else "models.no")
        case "source":
            return f"{row['source']} ({row['revision']})"
    return ", ".join(row[column]) if isinstance(row[column], tuple) else str(row[column])


def _memory(gigabytes: dict[str, float]) -> str:
    sizes = [f"{max(gigabytes[precision], 0.1):.1f}" for precision in ("fp32", "bf16", "int8", "nf4")]
    if not any(gigabytes.values()):
        return "–"
    return sizes[0] if len(set(sizes)) == 1 else " / ".join(sizes)
