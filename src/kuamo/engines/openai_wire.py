"""The OpenAI wire: what we read of a server's answers, and what can go wrong between it and us."""

import binascii
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any, TypeVar

import httpx2  # the transport inside the openai client; it shows through where bodies are streamed
import openai
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from kuamo.errors import KuamoError

Answered = TypeVar("Answered", bound="Shape")

# The first class that fits names the row of messages.toml.
FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (openai.APITimeoutError, "remote_timeout"),
    (httpx2.TimeoutException, "remote_timeout"),
    (openai.APIConnectionError, "remote_unreachable"),
    (httpx2.HTTPError, "remote_unreachable"),
    (ssl.SSLError, "remote_unreachable"),
    (openai.AuthenticationError, "remote_key_refused"),
    (openai.PermissionDeniedError, "remote_key_refused"),
    (openai.NotFoundError, "remote_model_unknown"),
    (openai.RateLimitError, "remote_busy"),
    (openai.InternalServerError, "remote_failed"),
    (openai.APIResponseValidationError, "remote_malformed"),
    (openai.APIStatusError, "remote_refused"),
    (openai.APIError, "remote_failed"),  # told in the middle of a stream
    (ValidationError, "remote_malformed"),
    (JSONDecodeError, "remote_malformed"),
    (UnicodeDecodeError, "remote_malformed"),
    (binascii.Error, "remote_malformed"),
)
# How an answer is written down: a server that knows one form only says so by 400, not always naming the parameter.
FORMS = ("response_format", "timestamp_granularities")
REASON_CHARACTERS = 200


class Shape(BaseModel):
    """The part of an answer that is used; servers differ in the rest."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls: type[Answered], answer: object) -> Answered:
        """Return what is used of a client's answer. Raises ValidationError where it is not there."""
        return cls.model_validate(answer)


class Delta(Shape):
    """What a chunk adds to a turn."""

    content: str | None = None


class Choice(Shape):
    """One of the turns being written."""

    delta: Delta
    finish_reason: str | None = None


class Tokens(Shape):
    """The tokens of a turn, where the server counts them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(Shape):
    """A piece of a streamed turn; the last may have no choice."""

    choices: list[Choice]
    usage: Tokens | None = None


class DrawnPicture(Shape):
    """A picture in base64, or where to get it."""

    b64_json: str | None = None
    url: str | None = None


class DrawnPictures(Shape):
    """The pictures of one request."""

    data: list[DrawnPicture] = Field(min_length=1)


class TimedWord(Shape):
    """A word and its seconds."""

    word: str
    start: FiniteFloat
    end: FiniteFloat


class TimedSegment(Shape):
    """A stretch of speech; some servers keep its words here."""

    text: str
    start: FiniteFloat
    end: FiniteFloat
    words: list[TimedWord] | None = None


class WrittenSpeech(Shape):
    """A transcript, with times where the server gives them."""

    text: str
    language: str | None = None
    segments: list[TimedSegment] | None = None
    words: list[TimedWord] | None = None


class Vector(Shape):
    """An embedding and the number of its input."""

    index: int
    embedding: list[FiniteFloat]


class Vectors(Shape):
    """The embeddings of one request."""

    data: list[Vector]


@contextmanager
def faults(server: str, model: str, key: str) -> Iterator[None]:
    """Turn what goes wrong between us and a server into one KuamoError, by the exception's class."""
    try:
        yield
    except tuple(kind for kind, _ in FAULTS) as error:
        code = next(code for kind, code in FAULTS if isinstance(error, kind))
        if code == "remote_key_refused" and not key:
            code = "remote_key_missing"
        raise KuamoError(code, server=server, model=model, reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    """Return the server's own words, for people only."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, Mapping) else None
    words = said if isinstance(said, str) else f"HTTP {getattr(error, 'status_code', '?')}"
    return " ".join(words.split())[:REASON_CHARACTERS]


def without_refused(create: Callable[..., Any], optional: dict[str, Any], **fixed: Any) -> Any:
    """Call create(**optional, **fixed), leaving out the options that the server does not take.

    Servers and models differ in what they take, and say so by status 400 and the parameter's name (`param`).
    """
    wanted = dict(optional)
    while True:
        try:
            return create(**wanted, **fixed)
        except openai.BadRequestError as error:
            refused = [(error.param or "").removesuffix("[]")] if error.param else list(FORMS)
            if not wanted.keys() & set(refused):
                raise
            left = {name: value for name, value in wanted.items() if name not in refused}
            if refused == ["max_tokens"]:  # its name for reasoning models
                left["max_completion_tokens"] = wanted["max_tokens"]
            wanted = left
