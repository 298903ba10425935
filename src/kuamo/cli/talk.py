"""`kuamo talk`: a turn with the voice assistant, or a conversation by push to talk."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kuamo.cli.options import Language, SoundFile, Voice
from kuamo.cli.session import Session
from kuamo.errors import KuamoError

if TYPE_CHECKING:
    from kuamo.capabilities.assistant import Event, Turn, TurnRequest
    from kuamo.cli.sound import Player


def talk(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(help="A recording, or a video with sound; without it and --text: the microphone.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What you say, in writing.")] = None,
    picture: Annotated[Path | None, typer.Option(help="A picture to talk about.")] = None,
    out: SoundFile = None,
    language: Language = None,
    voice: Voice = None,
) -> None:
    """Talk with the assistant, by speech or text.

    Without a recording or a text it is a conversation: Enter begins what you say and ends it, Ctrl-D ends it all.
    """
    from kuamo.capabilities.assistant import TurnRequest
    from kuamo.capabilities.hear import read_turn
    from kuamo.cli.sound import check_sound_file
    from kuamo.media.image import read_image

    check_sound_file(out)
    limits = session.settings.limits
    image = read_image(picture, limits) if picture else None
    request = partial(TurnRequest, image=image, language=language, voice=voice)
    if file is None and text is None:
        _converse(session, request, out)
    else:
        audio = read_turn(file, limits) if file and text is None else None
        turn = _take(session, request(audio=audio, text=text or ""), out)
        session.show("", **(_parts(turn) | {"path": out}))


def _converse(session: Session, request: "Callable[..., TurnRequest]", out: Path | None) -> None:
    """Take turns until Ctrl-D; with a file to write to, one. What fails is told, and the conversation goes on."""
    from kuamo.capabilities.conversation import Conversation
    from kuamo.cli.sound import spoken

    conversation = Conversation()
    turns: list[dict[str, Any]] = []
    for said in spoken(session):
        asked = {"text": said} if isinstance(said, str) else {"audio": said}
        try:
            turn = _take(session, request(**asked, conversation=conversation), out)
        except KuamoError as error:
            turns.append({"error": session.tell(error)})
        else:
            conversation = turn.conversation
            turns.append(_parts(turn) | {"path": out})
        if out is not None:
            break
    session.conclude(turns=turns)


def _take(session: Session, request: "TurnRequest", out: Path | None) -> "Turn":
    """Take a turn: print its text and play its speech as they come, or write the speech to a file."""
    from kuamo.capabilities.assistant import talk
    from kuamo.cli.sound import Player, deliver

    if out is not None:
        with closing(talk(request, session.models)) as stream:
            session.stream(_text(session, stream))
            turn = stream.result()
        deliver(session, turn.audio, out)
    else:
        with Player() as player, closing(talk(request, session.models)) as stream:
            session.stream(_text(session, stream, player))
            turn = stream.result()
        if player.found_nothing:
            session.note(session.say("cli.not_played"))
    session.note_source(turn.traces)
    return turn


def _text(session: Session, events: "Iterable[Event]", player: "Player | None" = None) -> Iterator[str]:
    """Pass on the reply's text as it comes, and its speech to the player; note what was heard."""
    from kuamo.capabilities.assistant import Heard, Said

    for event in events:
        if isinstance(event, Heard):
            session.note(session.say("cli.heard", text=event.text))
        elif isinstance(event, Said):
            yield event.text
        elif player:
            player.add(event.chunk.audio)


def _parts(turn: "Turn") -> dict[str, Any]:
    """Return what --json shows of a turn."""
    from kuamo.cli.output import plain

    heard = turn.heard and {"text": turn.heard.text, "segments": turn.heard.segments}
    rest = {"heard": heard, "traces": turn.traces, "stages": turn.stages}
    parts: dict[str, Any] = plain(turn.reply) | plain(turn.speech) | plain(rest)
    return parts
