"""Speech to text."""

from collections.abc import Generator

from kuamo.contracts import Segment, TranscribeRequest, Transcript
from kuamo.errors import KuamoError
from kuamo.runtime import Models
from kuamo.stream import Stream


def transcribe(request: TranscribeRequest, models: Models) -> Stream[Segment, Transcript]:
    """Write speech down; segments as they are recognised, then the Transcript.

    Raises KuamoError heard_nothing or does_not_translate.
    """
    return Stream(_transcribe(request, models))


def _transcribe(request: TranscribeRequest, models: Models) -> Generator[Segment, None, Transcript]:
    with models.lease("transcribe", request) as lease:
        if request.translate and not getattr(lease.engine, "translates", False):
            raise KuamoError("does_not_translate", name=lease.model.name)
        segments = []
        for segment in lease.engine.transcribe(request):
            segments.append(segment)
            yield segment
        if not segments:
            raise KuamoError("heard_nothing")
        return Transcript(tuple(segments), (lease.trace(),))
