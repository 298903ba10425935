"""Speech that plays while it is still being made.

Gradio's own streaming player wants an ffmpeg program, and its protocol (HTTP Live Streaming) asks for the second piece
only after twice the length of the first, in silence. Here each piece is played as soon as the one before has ended.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from html import escape
from typing import Any
from uuid import uuid4

import gradio as gr

from kuamo.media.audio import Audio

SCRIPT = """
const audio = element.querySelector('audio');
let speech = '', pieces = [], played = 0;
const goOn = () => {
    const {whole} = props.value;
    if (played < pieces.length) { audio.src = pieces[played++]; audio.play().catch(() => {}); }
    else if (whole && audio.src !== whole) audio.src = whole;
};
audio.onended = goOn;
watch('value', () => {
    if (props.value.key !== speech) {
        speech = props.value.key;
        pieces = [];
        played = 0;
        audio.removeAttribute('src');
        audio.load();
    }
    props.value.latest.forEach((piece, place) => { pieces[props.value.first + place] = piece; });
    audio.hidden = !pieces.length;
    if (audio.ended || !audio.src) goOn();
});
"""


def live_player(label: str, **options: Any) -> gr.HTML:
    """Return a player for the values of a `Speaking`; in the end it holds the whole, to be heard again or saved."""
    template = f'<audio controls hidden aria-label="{escape(label)}"></audio>'
    return gr.HTML(SILENCE, html_template=template, js_on_load=SCRIPT, **options)


LATEST = 8  # pieces in a value: the page may miss some values in between, and keeps what came before
SILENCE: dict[str, Any] = {"key": "", "first": 0, "latest": [], "whole": ""}
"""The value that stops a player and hides it."""


@dataclass(frozen=True)
class Speaking:
    """A speech so far, as the player takes it."""

    pieces: tuple[str, ...] = ()
    key: str = field(default_factory=lambda: uuid4().hex)

    def add(self, audio: Audio) -> "Speaking":
        """Return the speech with a piece added."""
        return Speaking((*self.pieces, _url(audio)), self.key)

    def value(self, whole: Audio | None = None) -> dict[str, Any]:
        """Return the value for the player; `whole` where nothing more comes."""
        first = max(0, len(self.pieces) - LATEST)
        latest = list(self.pieces[first:])
        return {"key": self.key, "first": first, "latest": latest, "whole": _url(whole) if whole else ""}


def _url(audio: Audio) -> str:
    return "data:audio/mpeg;base64," + b64encode(audio.encode("mp3")).decode()
