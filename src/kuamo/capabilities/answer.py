"""A question about a picture to its answer: read from a label where the picture has it, else seen by a model."""

from collections.abc import Generator
from dataclasses import replace

from kuamo.capabilities.chat import check_tools, written
from kuamo.capabilities.familiar import is_familiar
from kuamo.capabilities.labels import answer_from_labels
from kuamo.capabilities.read import read
from kuamo.contracts import Answer, ChatRequest, Message, Reading, ReadRequest, Request, Trace
from kuamo.errors import KuamoError
from kuamo.media.image import Image
from kuamo.media.text import clean_text, is_chinese
from kuamo.messages import language_of, say
from kuamo.runtime import Models
from kuamo.stream import Stream

READ_SCORE = 0.5  # lines the reader is less sure of are noise more often than text
READ_CHARACTERS = 1000  # of the picture's text that a model is told


def answer(request: ChatRequest, models: Models, reading: Reading | None = None) -> Stream[str, Answer]:
    """Answer the last user message about the picture in the last message that has any; text as it comes.

    The text in the picture is read first, unless its `reading` is given. Where the question names a label on it, the
    answer is the value beside it, exactly, with its place marked. Otherwise a vision-language model answers, told what
    was read. A request that names a model gets that model's own answer, and so does one with no picture or several.
    Raises KuamoError text_empty or text_too_long, and no_model where a model is needed and there is none.
    """
    return Stream(_answer(_cleaned(request, models), reading, models))


def _answer(request: ChatRequest, reading: Reading | None, models: Models) -> Generator[str, None, Answer]:
    picture = _picture(request)
    if picture is None or request.model is not None:
        return (yield from look(request, models))
    reading = reading or read_text(picture, request, models)
    lines = tuple(line for line in reading.lines if line.score >= READ_SCORE)
    found = answer_from_labels(_question(request).text, lines)
    if found:
        yield found.text
        return Answer(found.text, found.places, reading.traces)
    told = _told(request, "\n".join(line.text for line in lines))
    return (yield from look(told, models, reading.traces))


def read_text(picture: Image, request: Request, models: Models) -> Reading:
    """Return the text in a picture; none where the model in force knows the picture for one of its own world's.

    Such a picture holds no text, and a small model is confused by what a reader takes for some.
    """
    try:
        known = is_familiar(picture, models.choose("answer", request))
    except KuamoError:  # no model, told when one is needed
        known = None
    return Reading((), ()) if known else read(ReadRequest(image=picture), models)


def look(request: ChatRequest, models: Models, before: tuple[Trace, ...] = ()) -> Generator[str, None, Answer]:
    """Have a model that sees continue a conversation; `before` are the traces of what led to it.

    A small model shown a picture from outside the world it knows says so, and which command gets a bigger one.
    """
    with models.lease("answer", request) as lease:
        check_tools(request, lease)
        pictures = [picture for message in request.messages for picture in message.images]
        if any(is_familiar(picture, lease.model) is False for picture in pictures):
            language = language_of(request.language)
            bigger = models.suggest("answer", language)
            text = say("answer.unfamiliar", language, name=lease.model.name, bigger=bigger)
            yield text
            return Answer(text, (), (*before, lease.trace()))
        text, ending = yield from written(lease.engine.answer(request))
        return Answer(text, (), (*before, lease.trace()), ending)


def _question(request: ChatRequest) -> Message:
    for message in reversed(request.messages):
        if message.role == "user":
            return message
    raise KuamoError("text_empty")


def _picture(request: ChatRequest) -> Image | None:
    images = next((message.images for message in reversed(request.messages) if message.images), ())
    return images[0] if len(images) == 1 else None


def _asking(request: ChatRequest, text: str) -> ChatRequest:
    question = _question(request)
    messages = (replace(message, text=text) if message is question else message for message in request.messages)
    return replace(request, messages=tuple(messages))


def _cleaned(request: ChatRequest, models: Models) -> ChatRequest:
    question = clean_text(_question(request).text, models.settings.limits)
    language = request.language or ("zh" if is_chinese(question) else None)
    return _asking(replace(request, language=language), question)


def _told(request: ChatRequest, text: str) -> ChatRequest:
    """Put what was read before the question."""
    question = _question(request).text
    told = say(
        "prompt.read_text", "zh" if is_chinese(question) else "en", text=text[:READ_CHARACTERS], question=question
    )
    return _asking(request, told) if text else request
