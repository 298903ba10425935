"""What a message of OpenAI's protocol holds: text, pictures and sound."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from kuamo.api.names import model_of
from kuamo.api.uploads import Uploads
from kuamo.api.wire import Pictures, decode
from kuamo.capabilities.answer import answer
from kuamo.capabilities.chat import chat
from kuamo.capabilities.transcribe import transcribe
from kuamo.contracts import Answer, ChatRequest, Message, Sampling, ToolCall, TranscribeRequest
from kuamo.errors import KuamoError
from kuamo.media.audio import read_audio
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.stream import Stream

CONVERSATION = 10  # times the characters that one text may have


class TextPart(BaseModel):
    """Words."""

    type: Literal["text"]
    text: str


class Address(BaseModel):
    """A data URL, or an address under /uploads; nothing is fetched from other servers."""

    url: str


class ImagePart(BaseModel):
    """A picture."""

    type: Literal["image_url"]
    image_url: Address


class Sound(BaseModel):
    """A recording in base64."""

    data: str
    format: Literal["wav", "mp3"]


class AudioPart(BaseModel):
    """Speech, written down before the model reads it."""

    type: Literal["input_audio"]
    input_audio: Sound


Part = Annotated[TextPart | ImagePart | AudioPart, Field(discriminator="type")]
Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True)
class Said:
    """A turn as it came over the wire."""

    role: Role
    parts: list[Part]
    calls: tuple[ToolCall, ...] = ()


def continued(
    turns: Iterable[Said],
    name: str,
    sampling: Sampling,
    models: Models,
    uploads: Uploads,
    tools: tuple[dict[str, Any], ...] = (),
) -> Stream[str, Answer]:
    """Begin the next turn of a conversation: with pictures in it by `answer`, else by `chat` or as the model can.

    `name` is what the client calls the model. Sound is written down first. Raises KuamoError text_too_long for a
    conversation of more than CONVERSATION texts' characters, and what decoding, writing down and answering raise.
    """
    pictures = Pictures(uploads, models.settings.limits)
    messages = tuple(_message(turn, pictures, models) for turn in turns)
    _check_length(messages, models.settings.limits)
    capability = _capability(name, messages, models)
    model = model_of(name, capability, models)
    request = ChatRequest(messages=messages, sampling=sampling, model=model, tools=tools)
    return answer(request, models) if capability == "answer" else chat(request, models)


def _message(turn: Said, pictures: Pictures, models: Models) -> Message:
    texts, images = [], []
    for part in turn.parts:
        if isinstance(part, ImagePart):
            images.append(pictures.read(part.image_url.url))
        else:
            texts.append(part.text if isinstance(part, TextPart) else _written_down(part.input_audio, models))
    role = "system" if turn.role == "developer" else turn.role
    return Message(role, "\n".join(texts), tuple(images), turn.calls)


def _written_down(sound: Sound, models: Models) -> str:
    audio = read_audio(decode(sound.data), models.settings.limits, f"audio.{sound.format}")
    return transcribe(TranscribeRequest(audio=audio), models).result().text


def _check_length(messages: tuple[Message, ...], limits: Limits) -> None:
    characters, limit = sum(len(message.text) for message in messages), CONVERSATION * limits.characters
    if characters > limit:
        raise KuamoError("text_too_long", characters=characters, limit=limit)


def _capability(name: str, messages: tuple[Message, ...], models: Models) -> Literal["answer", "chat"]:
    if name == "answer" or any(message.images for message in messages):
        return "answer"
    sees, talks = ({row.name for row in models.catalogue.serving(does)} for does in ("answer", "chat"))
    return "answer" if name in sees - talks else "chat"
