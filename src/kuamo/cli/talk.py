"""`kuamo talk`: a turn with the voice assistant."""

from pathlib import Path
from typing import Annotated

import typer

from kuamo.cli.options import Language, SoundFile, Voice
from kuamo.cli.session import Session


def talk(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(help="A recording, or a video with sound; without it and --text: the microphone.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What you say, in writing.")] = None,
    out: SoundFile = None,
    language: Language = None,
    voice: Voice = None,
) -> None:
    """Talk with the assistant, by speech or text."""
