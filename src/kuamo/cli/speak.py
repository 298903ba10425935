"""`kuamo speak`: text to speech."""

import sys
from typing import Annotated

import typer

from kuamo.cli.options import Language, SoundFile, Voice
from kuamo.cli.session import Session


def speak(
    session: Session,
    text: Annotated[str, typer.Argument(help="What to say; - reads it from stdin.")],
    out: SoundFile = None,
    language: Language = None,
    voice: Voice = None,
    speed: Annotated[float, typer.Option(help="From 0.25 to 4; 1 is the normal rate.")] = 1,
) -> None:
    """Say a text aloud, or write it to a sound file."""
    from kuamo.capabilities.speak import speak
    from kuamo.cli.output import plain
    from kuamo.cli.sound import check_sound_file, deliver
    from kuamo.contracts import SpeakRequest

    check_sound_file(out)
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    speech = speak(SpeakRequest(text=text, language=language, voice=voice, speed=speed), session.models).result()
    deliver(session, speech.audio, out)
    if session.as_json:
        session.show("", path=out, **plain(speech))
    session.note_source(speech.traces)
