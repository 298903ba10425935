"""`kuamo talk`: a turn with the voice assistant."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kuamo.cli.options import Language, SoundFile, Voice
from kuamo.cli.session import Session

if TYPE_CHECKING:
    from kuamo.capabilities.assistant import Event
    from kuamo.media.audio import Audio


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
    from kuamo.capabilities.assistant import TurnRequest, talk
    from kuamo.cli.output import plain
    from kuamo.cli.sound import check_sound_file, deliver

    check_sound_file(out)
    audio = _spoken(session, file) if text is None else None
    stream = talk(TurnRequest(audio=audio, text=text or "", language=language, voice=voice), session.models)
    session.stream(_reply(session, stream))
    turn = stream.result()
    deliver(session, turn.audio, out)
    if session.as_json:
        heard = turn.heard and {"text": turn.heard.text, "segments": turn.heard.segments}
        parts = plain(turn.reply) | plain(turn.speech)
        session.show("", **(parts | {"heard": heard, "path": out, "traces": turn.traces}))
    session.note_source(turn.traces)


def _spoken(session: Session, file: Path | None) -> "Audio":
    from kuamo.cli.sound import record
    from kuamo.media.audio import read_audio

    return read_audio(file, session.settings.limits) if file else record(session)


def _reply(session: Session, events: "Iterable[Event]") -> Iterator[str]:
    """Pass on the reply's text as it comes; note what was heard."""
    from kuamo.capabilities.assistant import Heard, Said

    for event in events:
        if isinstance(event, Heard):
            session.note(session.say("cli.heard", text=event.text))
        elif isinstance(event, Said):
            yield event.text
