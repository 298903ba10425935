"""`kuamo data`: data sets made from raw media and texts."""

from pathlib import Path
from typing import Annotated

import typer

from kuamo.cli.session import Session, command

data = typer.Typer(help="Prepare data sets for training.", no_args_is_help=True, rich_markup_mode=None)


def build(
    session: Session,
    source: Annotated[Path, typer.Argument(help="A folder or a file of rows.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder of the data set.")],
    kind: Annotated[
        str | None,
        typer.Option(help="table, pairs, subtitles, speech-tree, common-voice, coco or webdataset; else found."),
    ] = None,
    fields: Annotated[
        str | None, typer.Option(metavar="ROLE=FIELD,…", help="Fields by role: image=photo,text=title; else found.")
    ] = None,
    media: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Another folder that media may lie in. Repeat it.")
    ] = None,
    split: Annotated[str, typer.Option(help="Shares of train, validation and test.")] = "9:1",
    seed: Annotated[int, typer.Option(help="Another seed, another split.")] = 42,
    form: Annotated[
        list[str] | None,
        typer.Option("--format", help="datasets (if none), messages, llava, webdataset or folder. Repeat it."),
    ] = None,
    licence: Annotated[str, typer.Option(help="The licence of the data, for its provenance.json.")] = "",
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes; one a core if not given.")] = None,
) -> None:
    """Make a checked, split and versioned data set from a folder or a file.

    Sources: JSONL, JSON, CSV, TSV or Parquet with media (LLaVA, ShareGPT, NeMo and image folders are such tables),
    WebDataset, COCO captions, LibriSpeech and AISHELL, Common Voice, files with a text beside them, videos with
    subtitles. Stopped or killed, it goes on when it is run again; a changed source costs only what changed. What was
    dropped, and why, stands in DIR/report.json and DIR/dropped.jsonl.
    """
    from kuamo.data.build import Plan, Progress
    from kuamo.data.build import build as build_set
    from kuamo.data.sources.fields import Fields
    from kuamo.data.split import Split

    plan = Plan(
        source=source, out=out, kind=kind, fields=Fields.parse(fields), media=tuple(media or ()),
        split=Split.parse(split, seed), formats=tuple(dict.fromkeys(form or ["datasets"])), licence=licence,
        limits=session.settings.limits,
    )  # fmt: skip
    stream = build_set(plan, workers)

    def told(done: Progress | None) -> str:
        return session.say("data.done", rows=done.rows, kept=done.kept) if done else ""

    for _ in session.progress("data.building", stream, told=told):
        pass
    report = stream.result()
    splits = ", ".join(f"{name} {report.splits[name]}" for name in plan.split.names)
    human = session.say("data.built", out=out, kept=report.kept, rows=report.rows, splits=splits)
    session.show(human, folder=out, **report.as_json())
    for reason in sorted(report.reasons.values(), key=lambda reason: -reason.count):
        first = reason.examples[0]
        why = first.fault.message(session.language)
        session.note(session.say("data.dropped", count=reason.count, where=first.where, reason=why))
    for code, values in report.notes:
        session.note(session.say(f"data.{code}", **values))


data.command()(command(build))
