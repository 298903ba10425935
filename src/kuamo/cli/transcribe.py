"""`kuamo transcribe`: speech to text with times."""

import sys
from typing import TYPE_CHECKING

import typer

from kuamo.cli.options import Format, Language, Recording, TextFile
from kuamo.cli.session import Session
from kuamo.cli.timed import deliver

if TYPE_CHECKING:
    from kuamo.contracts import Segment, Transcript
    from kuamo.stream import Stream

LONG_SECONDS = 30
"""A recording from here on gets a progress bar, where stderr is a terminal."""


def transcribe(
    session: Session,
    file: Recording,
    language: Language = None,
    form: Format = "text",
    out: TextFile = None,
) -> None:
    """Write down speech, with the time of every word."""
    from kuamo.capabilities.transcribe import transcribe
    from kuamo.cli.output import check_writable, plain
    from kuamo.contracts import TranscribeRequest
    from kuamo.media.audio import read_audio

    check_writable(out)
    audio = read_audio(file, session.settings.limits)
    stream = transcribe(TranscribeRequest(audio=audio, language=language), session.models)
    transcript = _with_progress(session, stream, audio.seconds)
    parts = plain(transcript) | {"text": transcript.text, "words": transcript.words}
    deliver(session, transcript.segments, form, out, parts)
    session.note_source(transcript.traces)


def _with_progress(session: Session, stream: "Stream[Segment, Transcript]", seconds: float) -> "Transcript":
    hidden = seconds < LONG_SECONDS or not sys.stderr.isatty()
    label = session.say("cli.transcribing")
    with typer.progressbar(length=round(seconds), label=label, hidden=hidden, file=sys.stderr) as bar:
        for segment in stream:
            bar.update(round(segment.end_seconds) - bar.pos)
    return stream.result()
