"""A text timed against its recording."""

from dataclasses import replace

from kuamo.contracts import Alignment, AlignRequest
from kuamo.media.text import clean_text, is_chinese
from kuamo.runtime import Models


def align(request: AlignRequest, models: Models) -> Alignment:
    """Find when each word (character, in Chinese) of a text is spoken; times in seconds, 3 decimals.

    Raises KuamoError text_empty or text_too_long.
    """
    text = clean_text(request.text, models.settings.limits)
    language = request.language or ("zh" if is_chinese(text) else "en")
    request = replace(request, text=text, language=language)
    with models.lease("align", request) as lease:
        return Alignment(lease.engine.align(request), (lease.trace(),))
