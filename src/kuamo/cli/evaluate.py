"""`kuamo eval`: how often a model is right."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kuamo.cli.session import Session


def evaluate(
    session: Session,
    capability: Annotated[Literal["answer"], typer.Argument(help="What to score.")],
    folder: Annotated[Path, typer.Argument(help="An image folder whose metadata.jsonl has questions and answers.")],
) -> None:
    """Score a model's answers to a folder of questions.

    Exact match, in all, by kind and by language.
    """
    from kuamo.cli.output import plain
    from kuamo.cli.tables import table
    from kuamo.evaluation import evaluate_answers

    stream = evaluate_answers(folder, session.models)
    for _ in session.progress("cli.asking", stream):
        pass
    scores = stream.result()
    shares = [("exact_match", scores.exact_match), *scores.by_kind.items(), *scores.by_language.items()]
    text = table((name, f"{share:.1%}") for name, share in shares if name)
    session.show(text, **plain(scores))
    for line in scores.dropped:
        session.note(line)
    session.note_source(scores.traces)
