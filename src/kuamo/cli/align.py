"""`kuamo align`: a known text timed against its recording."""

from pathlib import Path
from typing import Annotated

import typer

from kuamo.cli.options import Format, Language, Recording, TextFile
from kuamo.cli.session import Session
from kuamo.cli.timed import deliver
from kuamo.errors import KuamoError

DOUBTFUL = 0.4  # mean score of a text's words; true texts of real recordings lie near 0.8, wrong ones near 0.2


def align(
    session: Session,
    file: Recording,
    text: Annotated[str | None, typer.Argument(help="The words spoken in it.")] = None,
    text_file: Annotated[Path | None, typer.Option(help="A file with the words, in UTF-8.")] = None,
    language: Language = None,
    form: Format = "text",
    out: TextFile = None,
) -> None:
    """Find when each word of a text is spoken."""
    from kuamo.capabilities.align import align
    from kuamo.cli.output import check_writable, plain
    from kuamo.contracts import AlignRequest, Segment
    from kuamo.media.audio import read_audio
    from kuamo.media.text import read_text

    check_writable(out)
    limits = session.settings.limits
    if text_file is not None:
        text = read_text(text_file, limits)
    if text is None:
        raise KuamoError("argument_missing", what="TEXT", command="align")
    audio = read_audio(file, limits)
    alignment = align(AlignRequest(audio=audio, text=text, language=language), session.models)
    segments = (Segment(0, audio.seconds, text, alignment.words),)
    deliver(session, segments, form, out, plain(alignment) | {"text": text})
    if alignment.score is not None and alignment.score < DOUBTFUL:
        session.note(session.say("cli.doubtful", score=alignment.score))
    session.note_source(alignment.traces)
