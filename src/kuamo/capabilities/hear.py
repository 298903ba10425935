"""What is said to the assistant: a recording to its words, and no silence shown to the model that writes them down."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from kuamo.capabilities.detect import detect
from kuamo.capabilities.transcribe import transcribe
from kuamo.contracts import DetectRequest, Segment, Span, Trace, TranscribeRequest, Transcript
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits
from kuamo.runtime import Models

TURN_SECONDS = 300.0  # the longest that one speaks in a turn
PAUSE_SECONDS = 2.0  # in a longer silence a recording is cut, and the silence left out
MARGIN_SECONDS = 0.2  # of silence that stays around speech, for soft beginnings and ends

SpanKind = TypeVar("SpanKind", bound=Span)


def read_turn(source: Path | bytes, limits: Limits, name: str | None = None) -> Audio:
    """Decode a recording of one turn: at most five minutes; of a longer one no more than that is ever decoded.

    Raises KuamoError turn_too_long, and what `read_audio` raises.
    """
    try:
        return read_audio(source, replace(limits, seconds=min(limits.seconds, TURN_SECONDS)), name)
    except KuamoError as error:
        if error.code == "audio_too_long" and limits.seconds > TURN_SECONDS:
            raise KuamoError("turn_too_long", **error.values) from error
        raise


def hear(audio: Audio, language: str | None, models: Models) -> Transcript:
    """Write down the stretches of speech in a recording, each by itself; times are the recording's.

    Models that make up words for silence or noise, as Whisper does, get none to hear. Without a language the first
    stretch decides. Raises KuamoError heard_nothing.
    """
    detection = detect(DetectRequest(audio=audio), models)
    segments: list[Segment] = []
    traces = list(detection.traces)
    for stretch in _stretches(detection.spans, audio.seconds):
        part = audio.between(stretch.start_seconds, stretch.end_seconds)
        written = _written(TranscribeRequest(audio=part, language=language), models)
        start = stretch.start_seconds
        segments += [replace(one, words=later(one.words, start)) for one in later(written.segments, start)]
        traces += written.traces
        language = language or (segments[0].language if segments else None)
    if not segments:
        raise KuamoError("heard_nothing")
    return Transcript(tuple(segments), summed(traces))


def _written(request: TranscribeRequest, models: Models) -> Transcript:
    """Transcribe; no segments where the model hears nothing in what was taken for speech."""
    try:
        return transcribe(request, models).result()
    except KuamoError as error:
        if error.code != "heard_nothing":
            raise
        return Transcript((), ())


def _stretches(spans: Iterable[Span], seconds: float) -> list[Span]:
    """Give each span its margins, and join those with no more than a pause between them."""
    joined: list[Span] = []
    for span in spans:
        start, end = max(span.start_seconds - MARGIN_SECONDS, 0.0), min(span.end_seconds + MARGIN_SECONDS, seconds)
        if joined and start - joined[-1].end_seconds <= PAUSE_SECONDS:
            joined[-1] = Span(joined[-1].start_seconds, end)
        else:
            joined.append(Span(start, end))
    return joined


def later(spans: Iterable[SpanKind], seconds: float) -> tuple[SpanKind, ...]:
    """Return spans with their times counted from so many seconds earlier."""
    return tuple(
        replace(
            span,
            start_seconds=round(span.start_seconds + seconds, 3),
            end_seconds=round(span.end_seconds + seconds, 3),
        )
        for span in spans
    )


def summed(traces: Iterable[Trace]) -> tuple[Trace, ...]:
    """Return one trace for each model, its seconds added up."""
    seconds: dict[Trace, float] = {}
    for trace in traces:
        alike = replace(trace, seconds=0.0)
        seconds[alike] = seconds.get(alike, 0.0) + trace.seconds
    return tuple(replace(trace, seconds=round(total, 3)) for trace, total in seconds.items())
