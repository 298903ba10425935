"""A conversation's next turn, over OpenAI's protocol: POST /v1/chat/completions."""

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, BeforeValidator, Field

from kuamo.api.content import Part, Said, continued
from kuamo.api.events import DONE, EVENTS, event, finished, sent
from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.tools import Call, GivenCall, StreamedCall, Tool
from kuamo.api.uploads import Uploads
from kuamo.api.wire import StrictRoute, supported
from kuamo.contracts import Answer, Ending, Sampling
from kuamo.runtime import Models
from kuamo.stream import Stream

NEW_TOKENS = 1024  # where the client sets no limit; a small model's window ends a reply sooner
MOST_MESSAGES = 2048

Refused = Annotated[Any, Field(description="Taken only at its usual value.")]


def _listed(given: object) -> object:
    return [given] if isinstance(given, str) else given


def _as_parts(given: object) -> object:
    return [{"type": "text", "text": given}] if isinstance(given, str) else given


Content = Annotated[list[Part], BeforeValidator(_as_parts, json_schema_input_type=str | list[Part])]


class SpokenTurn(BaseModel):
    """A turn so far; `developer` is another word for `system`, `tool` what a tool gave."""

    role: Literal["system", "developer", "user", "tool"]
    content: Content

    def said(self) -> Said:
        """Return the turn."""
        return Said(self.role, self.content)


class AssistantTurn(BaseModel):
    """What the model said, and what it wanted called."""

    role: Literal["assistant"]
    content: Content | None = None
    tool_calls: list[GivenCall] | None = None

    def said(self) -> Said:
        """Return the turn."""
        return Said(self.role, self.content or [], tuple(call.call() for call in self.tool_calls or ()))


Turn = Annotated[SpokenTurn | AssistantTurn, Field(discriminator="role")]


class StreamOptions(BaseModel):
    """What a streamed answer tells beside its text."""

    include_usage: bool = False


class Form(BaseModel):
    """How the answer is written; text alone."""

    type: str = "text"


StopWord = Annotated[str, Field(min_length=1)]
StopWords = Annotated[list[StopWord], Field(max_length=4)]


class Wanted(BaseModel):
    """A conversation. Unknown fields are ignored; known ones that cannot be served are refused."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=MOST_MESSAGES)]
    model: str = ""
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: Annotated[int | None, Field(ge=-(2**63), lt=2**63)] = None
    stop: Annotated[
        StopWords | None,
        BeforeValidator(_listed, json_schema_input_type=StopWord | StopWords | None),
    ] = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    response_format: Form | None = None
    tools: list[Tool] | None = None
    tool_choice: Refused = None
    functions: Refused = None
    logprobs: bool | None = None
    logit_bias: Refused = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    modalities: list[str] | None = None


class Count(BaseModel):
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


End = Literal["stop", "length", "tool_calls"]


class Reply(BaseModel):
    """The turn written; `content` is null where there are only calls."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    tool_calls: list[Call] | None = None
    refusal: None = None


class Choice(BaseModel):
    """The one answer; `length`: its tokens were used up."""

    index: int = 0
    message: Reply
    logprobs: None = None
    finish_reason: End


class Completion(BaseModel):
    """An answer; `usage` is null where no language model wrote it (it was read from the picture)."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Count | None


class Delta(BaseModel):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    tool_calls: list[StreamedCall] | None = None


class ChoiceDelta(BaseModel):
    """The one answer as it grows."""

    index: int
    delta: Delta
    finish_reason: End | None


class Chunk(BaseModel):
    """A piece of a streamed answer; the one with `usage` has no choice."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChoiceDelta]
    usage: Count | None = None


def router(models: Models, uploads: Uploads) -> APIRouter:
    """Return the route POST /v1/chat/completions."""
    routes = APIRouter(tags=["chat"], route_class=StrictRoute)

    @routes.post(
        "/v1/chat/completions",
        summary="A conversation's next turn",
        response_model=Completion,
        responses={200: {"content": {EVENTS: {}}}, **OPENAI_FAILURES},
    )
    async def completions(wanted: Wanted, request: Request) -> Completion | StreamingResponse:
        """Write the next turn. Pictures: data URLs or uploads; sound: wav or mp3, written down first.

        A picture is asked as POST /qa does: its text is read first, unless a model is named.
        """
        _check(wanted)
        sampling = _sampling(wanted)

        def start() -> Stream[str, Answer]:
            turns = [turn.said() for turn in wanted.messages]
            return continued(turns, wanted.model, sampling, models, uploads, _tools(wanted))

        if wanted.stream:
            return await sent(request, _chunks(start, wanted))
        return _completion(await finished(request, start))

    return routes


def _check(wanted: Wanted) -> None:
    supported("n", wanted.n, None, 1)
    supported("tool_choice", wanted.tool_choice, None, "none", "auto")
    supported("functions", wanted.functions, None, [])
    supported("logprobs", wanted.logprobs, None, False)
    supported("logit_bias", wanted.logit_bias, None, {})
    supported("frequency_penalty", wanted.frequency_penalty, None, 0)
    supported("presence_penalty", wanted.presence_penalty, None, 0)
    supported("modalities", wanted.modalities, None, ["text"])
    supported("response_format.type", wanted.response_format and wanted.response_format.type, None, "text")


def sampling_of(most: int | None, **given: Any) -> Sampling:
    """Return the sampling that a client asks for: `most` new tokens, and fields of Sampling, None for Kuamo's own."""
    named = {name: value for name, value in given.items() if value is not None}
    return Sampling(max_new_tokens=NEW_TOKENS if most is None else most, **named)


def _sampling(wanted: Wanted) -> Sampling:
    most = wanted.max_tokens if wanted.max_completion_tokens is None else wanted.max_completion_tokens
    stop = tuple(wanted.stop or ())
    return sampling_of(most, temperature=wanted.temperature, top_p=wanted.top_p, seed=wanted.seed, stop=stop)


def _tools(wanted: Wanted) -> tuple[dict[str, Any], ...]:
    offered = () if wanted.tool_choice == "none" else wanted.tools or ()
    return tuple(tool.model_dump() for tool in offered)


def _completion(answer: Answer) -> Completion:
    calls = [Call.of(call) for call in answer.ending.calls] if answer.ending else []
    reply = Reply(content=(answer.text or None) if calls else answer.text, tool_calls=calls or None)
    choice = Choice(message=reply, finish_reason=_end(answer.ending))
    model = answer.traces[-1].model
    return Completion(id=_id(), created=_now(), model=model, choices=[choice], usage=_count(answer.ending))


def _end(ending: Ending | None) -> End:
    if ending is None:
        return "stop"
    return "tool_calls" if ending.end == "calls" else ending.end


def _chunks(start: Callable[[], Stream[str, Answer]], wanted: Wanted) -> Generator[bytes, None, None]:
    """Yield the answer as events: who speaks, the text in pieces, why it ended, and the tokens where wanted."""
    chunk = Chunk(id=_id(), object="chat.completion.chunk", created=_now(), model=wanted.model or "chat", choices=[])
    with closing(start()) as stream:
        yield _event(chunk, Delta(role="assistant", content=""))
        for piece in stream:
            yield _event(chunk, Delta(content=piece))
        ending = stream.result().ending
    if ending and ending.calls:
        yield _event(chunk, Delta(tool_calls=[StreamedCall.of(call, index=i) for i, call in enumerate(ending.calls)]))
    yield _event(chunk, Delta(), _end(ending))
    if wanted.stream_options and wanted.stream_options.include_usage:
        yield event(chunk.model_copy(update={"usage": _count(ending)}), only_set=True)
    yield DONE


def _event(chunk: Chunk, delta: Delta, end: End | None = None) -> bytes:
    choice = ChoiceDelta(index=0, delta=delta, finish_reason=end)
    return event(chunk.model_copy(update={"choices": [choice]}), only_set=True)


def _count(usage: Ending | None) -> Count | None:
    if usage is None:
        return None
    read, wrote = usage.prompt_tokens, usage.new_tokens
    return Count(prompt_tokens=read, completion_tokens=wrote, total_tokens=read + wrote)


def _id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"


def _now() -> int:
    return int(time.time())
