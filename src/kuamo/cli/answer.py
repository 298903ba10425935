"""`kuamo ask`: a question about a picture."""

from pathlib import Path
from typing import Annotated

import typer

from kuamo.cli.session import Session


def ask(
    session: Session,
    picture: Annotated[Path, typer.Argument(help="A picture: JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.")],
    question: Annotated[str, typer.Argument(help="What you want to know, in English or Chinese.")],
) -> None:
    """Answer a question about a picture."""
    from kuamo.capabilities.answer import answer
    from kuamo.cli.output import plain
    from kuamo.contracts import ChatRequest, Message
    from kuamo.media.image import read_image

    image = read_image(picture, session.settings.limits)
    stream = answer(ChatRequest(messages=(Message("user", question, (image,)),)), session.models)
    session.stream(stream)
    answered = stream.result()
    session.show("", **plain(answered))
    session.note_source(answered.traces)
