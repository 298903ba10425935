"""Talk: speech or text in, also about a picture; the answer's text streams, and its speech plays meanwhile.

Each session keeps its own conversation; a new picture begins a new one. Whoever speaks or writes while an answer goes
on interrupts it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr

from kuamo.capabilities.assistant import Event, Heard, Said, Stages, Turn, TurnRequest, talk
from kuamo.capabilities.conversation import Conversation
from kuamo.capabilities.hear import read_turn
from kuamo.contracts import Message
from kuamo.errors import KuamoError
from kuamo.media.image import read_image
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.stream import Stream, passed_on
from kuamo.ui.player import SILENCE, Speaking, live_player
from kuamo.ui.theme import ACCENT
from kuamo.ui.widgets import (
    QUIET,
    busy,
    conversation_log,
    empty,
    guarded,
    in_background,
    model_menu,
    notice,
    picture_upload,
    removed_if_bad,
    sources,
    transcript,
)

Update = dict[Any, Any]


@dataclass(frozen=True)
class Input:
    """What a visitor sent: a recording's file, or words. No two are the same."""

    recording: str | None
    words: str
    key: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True)
class Thread:
    """A session's conversation, what is shown under each of its answers, and the upload that it is about."""

    picture: str | None = None
    conversation: Conversation = field(default_factory=Conversation)
    notes: tuple[str, ...] = ()

    def after(self, asked: str, said: str, note: str) -> "Thread":
        """Return the thread with a turn that was broken off in it."""
        turn = (Message("user", asked), Message("assistant", said))
        conversation = replace(self.conversation, messages=(*self.conversation.messages, *turn))
        return Thread(self.picture, conversation, (*self.notes, note))


@dataclass(frozen=True)
class Room:
    """The parts of the tab that a turn changes, and what it needs to."""

    language: Language
    models: Models
    log: Any
    status: Any
    reply: Any
    thread: Any
    words: Any

    def say(self, key: str, **values: object) -> str:
        """Return a sentence in the page's language."""
        return say(key, self.language, **values)

    def shown(self, thread: Thread, asked: str = "", said: str = "") -> str:
        """Return the conversation, and the turn that goes on, as HTML."""
        messages = thread.conversation.messages
        notes = thread.notes[-sum(message.role == "assistant" for message in messages) :]
        return transcript(messages, empty(self.say("page.talk_empty")), asked, said, notes)


def tab(language: Language, models: Models) -> None:
    """Lay the tab out and wire it."""
    wave = gr.WaveformOptions(waveform_color="#a8a29e", waveform_progress_color=ACCENT)
    with gr.Tab(say("page.talk", language), id="talk"), gr.Column(elem_classes="conversation"):
        asked = gr.State(None)
        room = _room(language, models)
        with gr.Row(elem_classes="inputs"):
            recording = gr.Audio(
                sources=["microphone", "upload"], type="filepath", editable=False, buttons=[], scale=3, min_width=280,
                label=say("page.microphone", language), waveform_options=wave, elem_id="recording",
            )  # fmt: skip
            picture = picture_upload(
                say("page.talk_picture", language), height=150, scale=2, min_width=200, show_label=False, buttons=[],
                elem_id="subject",
            )  # fmt: skip
        with gr.Row(elem_classes="chips"):
            model = model_menu("chat", models, language)
            anew = gr.Button(say("page.new_conversation", language), size="sm", elem_classes="chip")
    turn = asked.change(
        partial(_turn, room=room), [asked, picture, room.thread, model],
        [room.log, room.status, room.reply, room.thread, room.words], trigger_mode="multiple", **QUIET,
    )  # fmt: skip
    sent = [room.words.submit, recording.stop_recording, recording.upload]
    stop: dict[str, Any] = {"fn": None, "cancels": [turn], **QUIET}  # by itself: what comes with a cancel can be lost
    gr.on(sent, trigger_mode="multiple", **stop).then(
        lambda file, text: (Input(file, text), SILENCE, None, text if file else ""), [recording, room.words],
        [asked, room.reply, recording, room.words], **QUIET,
    )  # fmt: skip
    recording.start_recording(**stop).then(lambda: (SILENCE, ""), None, [room.reply, room.status], **QUIET)
    gr.on([anew.click, picture.clear], **stop).then(
        lambda: (room.shown(Thread()), "", SILENCE, Thread()), None,
        [room.log, room.status, room.reply, room.thread], **QUIET,
    )  # fmt: skip


def _room(language: Language, models: Models) -> Room:
    log = conversation_log(empty(say("page.talk_empty", language)), "conversation")
    status = gr.HTML("", elem_id="status")
    reply = live_player(say("page.reply", language), elem_id="reply")
    words = gr.Textbox(
        placeholder=say("page.say", language), label=say("page.say_label", language), show_label=False, max_lines=4,
        submit_btn=say("page.send_words", language), elem_id="words",
    )  # fmt: skip
    return Room(language, models, log, status, reply, gr.State(Thread()), words)


# --- a turn


def _turn(asked: Input, picture: str | None, thread: Thread, model: str, *, room: Room) -> Iterator[Update]:
    thread = thread if thread.picture == picture else Thread(picture)

    def failed(line: str) -> Update:
        again = {} if asked.recording else {room.words: asked.words}
        return {room.log: room.shown(thread), room.status: notice(line), **again}

    yield from guarded(_talk(asked, thread, model, room), failed, room.language)


def _talk(asked: Input, thread: Thread, model: str, room: Room) -> Iterator[Update]:
    reply = _Reply(room, thread, "" if asked.recording else asked.words.strip())
    yield reply.shown("page.listening" if asked.recording else "page.thinking")
    request = _request(asked, thread, model, room.models)
    start: Callable[[], Stream[Event, Turn]] = partial(talk, request, room.models)
    turn = yield from passed_on(in_background(start), reply.follow)
    note = sources(turn.traces, room.language) + _stages(turn.stages, room.language)
    done = Thread(thread.picture, turn.conversation, (*thread.notes, note))
    spoken = reply.speaking.value(turn.audio)
    yield {room.log: room.shown(done), room.status: "", room.reply: spoken, room.thread: done}


def _request(asked: Input, thread: Thread, model: str, models: Models) -> TurnRequest:
    if not asked.recording and not asked.words.strip():
        raise KuamoError("nothing_said")
    audio = image = None
    if asked.recording:
        with removed_if_bad(Path(asked.recording)) as file:
            audio = read_turn(file, models.settings.limits)
    if thread.picture:
        with removed_if_bad(Path(thread.picture)) as file:
            image = read_image(file, models.settings.limits)
    sees = bool(model) and "answer" in models.catalogue.named(model, "chat").capabilities
    return TurnRequest(
        audio=audio, text="" if audio else asked.words, image=image, conversation=thread.conversation,
        model=model if model and (sees or not image) else None,
    )  # fmt: skip


@dataclass
class _Reply:
    """A turn that goes on: what was asked, and what has been said so far."""

    room: Room
    thread: Thread
    asked: str
    said: str = ""
    speaking: Speaking = field(default_factory=Speaking)

    def shown(self, doing: str) -> Update:
        """Return the update that shows the turn and what goes on."""
        return {
            self.room.log: self.room.shown(self.thread, self.asked, self.said),
            self.room.status: busy(self.room.say(doing)),
        }

    def follow(self, event: Event | None) -> Iterator[Update]:
        """Show an event of the turn; None is a beat without one."""
        if event is None:
            return
        if isinstance(event, Heard):
            self.asked = event.text
            yield self.shown("page.thinking")
        elif isinstance(event, Said):
            self.said += event.text
            note = f'<p class="sources">{self.room.say("page.interrupted")}</p>'  # stays where it goes no further
            yield self.shown("page.speaking") | {self.room.thread: self.thread.after(self.asked, self.said, note)}
        else:
            self.speaking = self.speaking.add(event.chunk.audio)
            yield {self.room.reply: self.speaking.value()}


def _stages(stages: Stages, language: Language) -> str:
    """Return when a turn was where, as HTML."""
    after = (
        ("page.heard_after", stages.heard_seconds),
        ("page.text_after", stages.first_text_seconds),
        ("page.sound_after", stages.first_sound_seconds),
    )
    spans = [f"<span>{say(key, language, seconds=seconds)}</span>" for key, seconds in after if seconds is not None]
    return f'<p class="sources">{"".join(spans)}</p>'
