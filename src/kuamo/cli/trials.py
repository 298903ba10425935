"""How `kuamo doctor` tries the models in the box: one tiny thing each, whose right result is known."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kuamo.cli.machine import Finding
from kuamo.cli.session import Session

if TYPE_CHECKING:
    from kuamo.contracts import Capability, Speech
    from kuamo.runtime import Models

TEXT = "one two three"
NUMBER = "1234"


def try_capability(session: Session, capability: "Capability") -> Finding:
    """Run the profile's model for a capability if it is in the box; otherwise say whether it is on this machine.

    Raises KuamoError for a capability that the profile lacks or whose model is not here.
    """
    from kuamo import store
    from kuamo.contracts import Request

    model = session.models.choose(capability, Request(language="en"))
    store.locate(model)
    if capability not in TRIALS or store.is_from_hub(model) or store.is_url(model.source):
        return "ok", session.say("doctor.on_disk", model=model.name)
    began = time.perf_counter()
    right, result = TRIALS[capability](session.models)
    if not right:
        return "broken", session.say("doctor.wrong", model=model.name, result=result)
    seconds = time.perf_counter() - began
    return "ok", session.say("doctor.worked", model=model.name, result=result, seconds=seconds)


def _read(models: "Models") -> tuple[bool, str]:
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

    from kuamo.capabilities.read import read
    from kuamo.contracts import ReadRequest
    from kuamo.media.image import from_pil

    picture = PIL.Image.new("RGB", (320, 120), "white")
    PIL.ImageDraw.Draw(picture).text((60, 30), NUMBER, "black", PIL.ImageFont.load_default(48))
    text = " ".join(line.text for line in read(ReadRequest(image=from_pil(picture)), models).lines)
    return text == NUMBER, text


def _speech(models: "Models") -> "Speech":
    from kuamo.capabilities.speak import speak
    from kuamo.contracts import SpeakRequest

    return speak(SpeakRequest(text=TEXT, language="en"), models).result()


def _speak(models: "Models") -> tuple[bool, str]:
    seconds = _speech(models).audio.seconds
    return 0.2 < seconds < 5, f"{seconds:.1f} s"


def _transcribe(models: "Models") -> tuple[bool, str]:
    from kuamo.capabilities.transcribe import transcribe
    from kuamo.contracts import TranscribeRequest

    text = transcribe(TranscribeRequest(audio=_speech(models).audio, language="en"), models).result().text
    return bool(set(text.split()) & set(TEXT.split())), text


def _align(models: "Models") -> tuple[bool, str]:
    from kuamo.capabilities.align import align
    from kuamo.contracts import AlignRequest

    words = align(AlignRequest(audio=_speech(models).audio, text=TEXT, language="en"), models).words
    times = ", ".join(f"{word.text} {word.start_seconds:.2f}–{word.end_seconds:.2f} s" for word in words)
    return len(words) == len(TEXT.split()), times


def _detect(models: "Models") -> tuple[bool, str]:
    from kuamo.capabilities.detect import detect
    from kuamo.contracts import DetectRequest

    spans = detect(DetectRequest(audio=_speech(models).audio), models).spans
    return bool(spans), ", ".join(f"{span.start_seconds:.2f}–{span.end_seconds:.2f} s" for span in spans)


TRIALS: "dict[Capability, Callable[[Models], tuple[bool, str]]]" = {
    "read": _read,
    "speak": _speak,
    "transcribe": _transcribe,
    "align": _align,
    "detect": _detect,
}
"""Whether the result is right, and the result."""
