"""`kuamo ask`: questions about a picture."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuamo.cli.session import Session
from kuamo.errors import KuamoError

if TYPE_CHECKING:
    from kuamo.capabilities.conversation import AskRequest, Turn
    from kuamo.media.image import Image


def ask(
    session: Session,
    picture: Annotated[Path, typer.Argument(help="A picture: JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.")],
    question: Annotated[
        str | None, typer.Argument(help="What you want to know, in English or Chinese. Without it: a conversation.")
    ] = None,
) -> None:
    """Answer questions about a picture.

    Without a question each line of stdin is one, and its answer a line. On a terminal an empty line ends.
    """
    from kuamo.capabilities.conversation import AskRequest
    from kuamo.cli.output import plain
    from kuamo.media.image import read_image

    image = read_image(picture, session.settings.limits)
    if question is None:
        _converse(session, image)
    else:
        turn = _take(session, AskRequest(image=image, question=question))
        session.show("", **plain(turn.reply))


def _converse(session: Session, image: "Image") -> None:
    """Take turns until there is nothing more to ask. A question that fails is told, and the others go on."""
    from kuamo.capabilities.conversation import AskRequest, Conversation
    from kuamo.cli.output import plain

    by_hand = sys.stdin.isatty()
    conversation = Conversation()
    turns: list[dict[str, Any]] = []
    for question in _typed(session) if by_hand else _piped(session):
        try:
            request = AskRequest(image=image, question=question, conversation=conversation)
            turn = _take(session, request, on_one_line=not by_hand)
        except KuamoError as error:
            turns.append({"question": question, "error": session.tell(error)})
            if not (by_hand or session.as_json):
                typer.echo()  # the answers' lines stay beside the questions'
        else:
            conversation = turn.conversation
            turns.append({"question": question, **plain(turn.reply)})
    session.conclude(turns=turns)


def _take(session: Session, request: "AskRequest", on_one_line: bool = False) -> "Turn":
    from kuamo.capabilities.conversation import ask

    stream = ask(request, session.models)
    session.stream(_folded(stream) if on_one_line else stream)
    turn = stream.result()
    session.note_source(turn.reply.traces)
    return turn


def _folded(pieces: Iterable[str]) -> Iterator[str]:
    yield " ".join("".join(pieces).split())


def _typed(session: Session) -> Iterator[str]:
    """Yield what is typed on the terminal, up to an empty line or Ctrl-D."""
    with suppress(ImportError):
        import readline  # noqa: F401 - gives input() editing of wide characters, and the lines before

    session.note(session.say("cli.ask_away"))
    prompt = "> " if sys.stdout.isatty() else ""
    with suppress(EOFError):
        while question := input(prompt).strip():
            yield question
        return
    typer.echo(err=True)  # Ctrl-D leaves the cursor behind the prompt


def _piped(session: Session) -> Iterator[str]:
    """Yield the lines of stdin that say something. Raises KuamoError argument_missing or not_text."""
    from kuamo.media.text import read_text

    nothing = True
    for line in sys.stdin.buffer:
        if question := read_text(line, session.settings.limits, "stdin").strip():
            nothing = False
            yield question
    if nothing:
        raise KuamoError("argument_missing", what="QUESTION", command="ask")
