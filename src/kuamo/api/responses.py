"""A reply to texts and pictures, over the younger of OpenAI's protocols: POST /v1/responses."""

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import count
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kuamo.api.chat import MOST_MESSAGES, sampling_of
from kuamo.api.content import Address, ImagePart, Part, Said, TextPart, continued
from kuamo.api.events import EVENTS, event, finished, sent
from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.uploads import Uploads
from kuamo.api.wire import StrictRoute, supported
from kuamo.contracts import Answer, Ending
from kuamo.runtime import Models
from kuamo.stream import Stream


class InputText(BaseModel):
    """Words: of the user, or of an earlier reply."""

    type: Literal["input_text", "output_text"]
    text: str


class InputImage(BaseModel):
    """A picture: a data URL, or an address under /uploads."""

    type: Literal["input_image"]
    image_url: str


Content = Annotated[InputText | InputImage, Field(discriminator="type")]


def _as_content(given: object) -> object:
    return [{"type": "input_text", "text": given}] if isinstance(given, str) else given


def _as_items(given: object) -> object:
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


class Item(BaseModel):
    """A turn so far."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[list[Content], BeforeValidator(_as_content, json_schema_input_type=str | list[Content])]


class TextForm(BaseModel):
    """How the reply is written; text alone."""

    type: str = "text"


class TextOptions(BaseModel):
    """How the reply is written."""

    format: TextForm = TextForm()


class Wanted(BaseModel):
    """Turns to reply to. Nothing is kept: send the earlier turns along. Unknown fields are ignored."""

    input: Annotated[
        list[Item],
        BeforeValidator(_as_items, json_schema_input_type=str | list[Item]),
        Field(min_length=1, max_length=MOST_MESSAGES),
    ]
    instructions: str | None = None
    model: str = ""
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stream: bool | None = None
    text: TextOptions | None = None
    tools: Annotated[Any, Field(description="None can be used.")] = None
    previous_response_id: str | None = None
    background: bool | None = None


class OutputText(BaseModel):
    """What was written."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[Any] = []


class Message(BaseModel):
    """The reply."""

    type: Literal["message"] = "message"
    id: str
    status: Literal["in_progress", "completed", "incomplete"]
    role: Literal["assistant"] = "assistant"
    content: list[OutputText]


class Details(BaseModel):
    """Of the tokens, those that were cached or thought with: none."""

    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Count(BaseModel):
    """Tokens read and written."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: Details = Details()
    output_tokens_details: Details = Details()


class Incomplete(BaseModel):
    """Why a reply is cut short."""

    reason: Literal["max_output_tokens"] = "max_output_tokens"


class Response(BaseModel):
    """A reply; `usage` is null where no language model wrote it (it was read from the picture)."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Literal["in_progress", "completed", "incomplete"]
    model: str
    output: list[Message]
    usage: Count | None = None
    incomplete_details: Incomplete | None = None
    instructions: str | None
    error: None = None
    metadata: dict[str, str] = {}
    parallel_tool_calls: bool = False
    tool_choice: Literal["none"] = "none"
    tools: list[Any] = []
    temperature: float | None
    top_p: float | None
    max_output_tokens: int | None


class Event(BaseModel):
    """One of the events of a streamed reply; which fields it has follows from its type."""

    model_config = ConfigDict(extra="allow")

    type: str
    sequence_number: int


def router(models: Models, uploads: Uploads) -> APIRouter:
    """Return the route POST /v1/responses."""
    routes = APIRouter(tags=["chat"], route_class=StrictRoute)
    answers: dict[int | str, dict[str, Any]] = {200: {"content": {EVENTS: {}}}, **OPENAI_FAILURES}

    @routes.post("/v1/responses", summary="A reply", response_model=Response, responses=answers)
    async def responses(wanted: Wanted, request: Request) -> Response | StreamingResponse:
        """Reply to texts and pictures, as POST /v1/chat/completions does."""
        _check(wanted)
        sampling = sampling_of(wanted.max_output_tokens, temperature=wanted.temperature, top_p=wanted.top_p)

        def start() -> Stream[str, Answer]:
            return continued(_turns(wanted), wanted.model, sampling, models, uploads)

        if wanted.stream:
            return await sent(request, _events(start, wanted))
        return _ended(_begun(wanted), await finished(request, start))

    return routes


def _check(wanted: Wanted) -> None:
    supported("tools", wanted.tools, None, [])
    supported("previous_response_id", wanted.previous_response_id, None)
    supported("background", wanted.background, None, False)
    supported("text.format.type", wanted.text and wanted.text.format.type, None, "text")


def _turns(wanted: Wanted) -> list[Said]:
    turns = []
    if wanted.instructions:
        turns.append(Said("system", [TextPart(type="text", text=wanted.instructions)]))
    return [*turns, *(Said(item.role, [_part(content) for content in item.content]) for item in wanted.input)]


def _part(content: Content) -> Part:
    if isinstance(content, InputImage):
        return ImagePart(type="image_url", image_url=Address(url=content.image_url))
    return TextPart(type="text", text=content.text)


def _begun(wanted: Wanted) -> Response:
    return Response(
        id=f"resp_{secrets.token_hex(16)}",
        created_at=int(time.time()),
        status="in_progress",
        model=wanted.model,
        output=[],
        instructions=wanted.instructions,
        temperature=wanted.temperature,
        top_p=wanted.top_p,
        max_output_tokens=wanted.max_output_tokens,
    )


def _ended(begun: Response, answer: Answer, message_id: str = "") -> Response:
    cut = answer.ending is not None and answer.ending.end == "length"
    status: Literal["completed", "incomplete"] = "incomplete" if cut else "completed"
    identity = message_id or f"msg_{secrets.token_hex(16)}"
    message = Message(id=identity, status=status, content=[OutputText(text=answer.text)])
    ended = {"status": status, "model": answer.traces[-1].model, "output": [message], "usage": _count(answer.ending)}
    return begun.model_copy(update={**ended, "incomplete_details": Incomplete() if cut else None})


def _count(usage: Ending | None) -> Count | None:
    if usage is None:
        return None
    read, wrote = usage.prompt_tokens, usage.new_tokens
    return Count(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)


def _events(start: Callable[[], Stream[str, Answer]], wanted: Wanted) -> Generator[bytes, None, None]:
    """Yield the events of a reply of one message that has one text."""
    numbers = count()
    begun, identity = _begun(wanted), f"msg_{secrets.token_hex(16)}"
    place = {"output_index": 0, "item_id": identity, "content_index": 0}

    def named(name: str, **fields: Any) -> bytes:
        return event(Event(type=f"response.{name}", sequence_number=next(numbers), **fields), f"response.{name}")

    with closing(start()) as stream:
        yield named("created", response=begun)
        yield named("in_progress", response=begun)
        item = Message(id=identity, status="in_progress", content=[])
        yield named("output_item.added", output_index=0, item=item)
        yield named("content_part.added", **place, part=OutputText(text=""))
        for piece in stream:
            yield named("output_text.delta", **place, delta=piece, logprobs=[])
        answer = stream.result()
    ended = _ended(begun, answer, identity)
    yield named("output_text.done", **place, text=answer.text, logprobs=[])
    yield named("content_part.done", **place, part=OutputText(text=answer.text))
    yield named("output_item.done", output_index=0, item=ended.output[0])
    yield named(ended.status, response=ended)
