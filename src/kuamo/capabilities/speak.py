"""Text to speech."""

from collections.abc import Generator
from dataclasses import replace

from kuamo.contracts import SpeakRequest, Speech, SpeechChunk
from kuamo.media.audio import join_audio
from kuamo.media.text import clean_text, is_chinese
from kuamo.runtime import Models
from kuamo.stream import Stream


def speak(request: SpeakRequest, models: Models) -> Stream[SpeechChunk, Speech]:
    """Say a text; audio as it is made, then the whole Speech. Without a language, Chinese is told from English.

    Raises KuamoError text_empty or text_too_long.
    """
    text = clean_text(request.text, models.settings.limits)
    language = request.language or ("zh" if is_chinese(text) else "en")
    return Stream(_speak(replace(request, text=text, language=language), models))


def _speak(request: SpeakRequest, models: Models) -> Generator[SpeechChunk, None, Speech]:
    with models.lease("speak", request) as lease:
        chunks = []
        for chunk in lease.engine.speak(request):
            chunks.append(chunk)
            yield chunk
        words = tuple(word for chunk in chunks for word in chunk.words)
        return Speech(join_audio([chunk.audio for chunk in chunks]), words, (lease.trace(),))
