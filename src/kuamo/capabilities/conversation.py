"""Several turns about one picture, whose text is read once."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace

from kuamo.capabilities.answer import answer, read_text
from kuamo.contracts import Answer, ChatRequest, Message, Reading, Request
from kuamo.errors import KuamoError
from kuamo.media.image import Image
from kuamo.media.text import clean_text
from kuamo.runtime import Models
from kuamo.stream import Stream

REMEMBERED = 20  # turns of a conversation that go into its next


@dataclass(frozen=True)
class Conversation:
    """What was said about a picture so far: questions and answers in turn, and the text in it once that was read."""

    messages: tuple[Message, ...] = ()
    reading: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class AskRequest(Request):
    """The next question about a picture. A new picture begins a new conversation."""

    image: Image
    question: str
    conversation: Conversation = Conversation()


@dataclass(frozen=True)
class Turn:
    """A question answered, and the conversation with it in, for the next request."""

    reply: Answer
    conversation: Conversation


def ask(request: AskRequest, models: Models) -> Stream[str, Turn]:
    """Answer a question about a picture in the light of the turns before; text as it comes.

    A conversation keeps its last 20 turns, and no more characters than one text may have (but always the last turn).
    Raises KuamoError text_empty or text_too_long, no_model, reply_empty where the model says nothing, and what the
    model raises: conversation_too_long among it.
    """
    return Stream(_ask(replace(request, question=clean_text(request.question, models.settings.limits)), models))


def _ask(request: AskRequest, models: Models) -> Generator[str, None, Turn]:
    reading = request.conversation.reading
    if reading is None and request.model is None:
        reading = read_text(request.image, request, models)
    messages = (*request.conversation.messages, Message("user", request.question))
    with_picture = (replace(messages[0], images=(request.image,)), *messages[1:])
    asked = ChatRequest(messages=with_picture, model=request.model, language=request.language)
    with closing(answer(asked, models, reading)) as stream:
        yield from stream
        reply = stream.result()
    if not reply.text:
        raise KuamoError("reply_empty", name=reply.traces[-1].model)
    said = recent((*messages, Message("assistant", reply.text)), models.settings.limits.characters)
    return Turn(reply, Conversation(said, reading and _at_hand(reading)))


def recent(messages: tuple[Message, ...], characters: int) -> tuple[Message, ...]:
    """Return the last 20 turns, fewer where they have more characters together than that; always the last one."""
    kept = messages[-2 * REMEMBERED :]
    while len(kept) > 2 and sum(len(message.text) for message in kept) > characters:
        kept = kept[2:]
    return kept


def _at_hand(reading: Reading) -> Reading:
    """Return a reading that costs its next user no time."""
    return Reading(reading.lines, tuple(replace(trace, seconds=0.0) for trace in reading.traces))
