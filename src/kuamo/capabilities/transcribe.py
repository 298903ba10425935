"""Speech to text."""

from collections.abc import Generator
from dataclasses import replace

from kuamo.contracts import Segment, Trace, TranscribeRequest, Transcript
from kuamo.errors import KuamoError
from kuamo.runtime import Models
from kuamo.stream import Stream


def transcribe(request: TranscribeRequest, models: Models) -> Stream[Segment, Transcript]:
    """Write speech down; segments as they are recognised, then the Transcript.

    Where the profile's models serve a language each, the language is found first. Raises KuamoError heard_nothing, and
    no_model_for_language for a language that none of them serves.
    """
    return Stream(_transcribe(request, models))


def _transcribe(request: TranscribeRequest, models: Models) -> Generator[Segment, None, Transcript]:
    language, traces = _identified(request, models)
    request = replace(request, language=language)
    with models.lease("transcribe", request) as lease:
        if request.translate and not getattr(lease.engine, "translates", False):
            raise KuamoError("does_not_translate", name=lease.model.name)
        segments = []
        for segment in lease.engine.transcribe(request):
            segments.append(segment)
            yield segment
        if not segments:
            raise KuamoError("heard_nothing")
        return Transcript(tuple(segments), (*traces, lease.trace()))


def _identified(request: TranscribeRequest, models: Models) -> tuple[str | None, tuple[Trace, ...]]:
    """Return the language and the trace of finding it; None where the model in force is left to find it.

    The first row of the profile that serves several languages tells which is spoken, where the first of all serves one.
    """
    first, *others = models.catalogue.serving("transcribe", models.settings.profile) or (None,)
    chosen = request.language or request.model or "transcribe" in models.settings.models
    teller = next((row for row in others if row.is_multilingual), None)
    if chosen or first is None or first.is_multilingual or teller is None:
        return request.language, ()
    with models.lease("transcribe", replace(request, model=teller.name)) as lease:
        identify = getattr(lease.engine, "identify", None)
        return (identify(request), (lease.trace(),)) if identify else (None, ())
