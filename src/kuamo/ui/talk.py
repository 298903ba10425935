"""Talk: speech or text in; what was heard, the answer and its speech out. Each session keeps its own conversation."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from kuamo.capabilities.assistant import Heard, Said, TurnRequest, talk
from kuamo.contracts import Message
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, read_audio
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.ui.theme import ACCENT
from kuamo.ui.widgets import (
    busy,
    conversation_log,
    empty,
    guarded,
    model_menu,
    notice,
    removed_if_bad,
    sources,
    transcript,
)

History = tuple[Message, ...]
Update = tuple[Any, ...]  # conversation, status, spoken answer, history, recording, words


def tab(language: Language, models: Models) -> None:
    """Lay the tab out and wire it."""
    with gr.Tab(say("page.talk", language), id="talk"), gr.Column(elem_classes="conversation"):
        history = gr.State(())
        wave = gr.WaveformOptions(waveform_color="#a8a29e", waveform_progress_color=ACCENT)
        blank = empty(say("page.talk_empty", language))
        conversation = conversation_log(blank, "conversation")
        status = gr.HTML("", elem_id="status")
        reply = gr.Audio(
            visible=False, interactive=False, autoplay=True, label=say("page.reply", language), buttons=["download"],
            waveform_options=wave, elem_id="reply",
        )  # fmt: skip
        words = gr.Textbox(
            placeholder=say("page.say", language), label=say("page.say_label", language), show_label=False, max_lines=4,
            submit_btn=say("page.send_words", language), elem_id="words",
        )  # fmt: skip
        recording = gr.Audio(
            sources=["microphone", "upload"], type="filepath", editable=False, buttons=[],
            label=say("page.microphone", language), waveform_options=wave, elem_id="recording",
        )  # fmt: skip
        with gr.Row(elem_classes="chips"):
            model = model_menu("chat", models, language)
            anew = gr.Button(say("page.new_conversation", language), size="sm", elem_classes="chip")
    outputs = [conversation, status, reply, history, recording, words]
    turn = gr.on(
        [words.submit, recording.stop_recording, recording.upload], partial(_turn, models=models, language=language),
        [recording, words, history, model], outputs, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    anew.click(
        lambda: (blank, "", gr.Audio(None, visible=False), (), None, ""), None, outputs, cancels=[turn],
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip


def _turn(
    recording: str | None, words: str, history: History, model: str, *, models: Models, language: Language
) -> Iterator[Update]:
    shown = partial(transcript, history, empty(say("page.talk_empty", language)))

    def failed(line: str) -> Update:
        return shown(), notice(line), gr.skip(), gr.skip(), None, words

    yield from guarded(_talk(recording, words, history, model, shown, models, language), failed, language)


def _talk(
    recording: str | None,
    words: str,
    history: History,
    model: str,
    shown: Callable[..., str],
    models: Models,
    language: Language,
) -> Iterator[Update]:
    if not recording and not words.strip():
        raise KuamoError("nothing_said")
    heard, said = "" if recording else words, ""
    doing = busy(say("page.listening" if recording else "page.thinking", language))
    yield shown(heard), doing, gr.skip(), gr.skip(), gr.skip(), gr.skip() if recording else ""
    audio = None
    if recording:
        with removed_if_bad(Path(recording)) as file:
            audio = read_audio(file, models.settings.limits)
    request = TurnRequest(audio=audio, text="" if audio else words, history=history, model=model or None)
    with closing(talk(request, models)) as stream:
        for event in stream:
            if isinstance(event, Heard):
                heard, doing = event.text, busy(say("page.thinking", language))
            elif isinstance(event, Said):
                said += event.text
                doing = busy(say("page.speaking", language))
            yield shown(heard, said), doing, gr.skip(), gr.skip(), gr.skip(), gr.skip()
        turn = stream.result()
    spoken = gr.Audio(_playable(turn.audio), visible=True)
    yield shown(heard, turn.reply.text), sources(turn.traces, language), spoken, turn.history, None, gr.skip()


def _playable(audio: Audio) -> tuple[int, Any]:
    return audio.sample_rate_hz, np.frombuffer(audio.pcm16(), "<i2")
