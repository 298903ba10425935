"""Every failure in one shape, in the caller's language; what happened inside goes to the log alone.

Under /v1 the shape is OpenAI's.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from kuamo.api.headers import SAFE
from kuamo.errors import KuamoError
from kuamo.messages import Language, language_of

Handler = Callable[[Request, Any], Awaitable[JSONResponse]]

STATUSES = {415: 400, 422: 400}  # what OpenAI's clients know these by


class Fault(BaseModel):
    """What was wrong: a code for programs, a sentence and what to do next for people."""

    code: str
    message: str
    hint: str


class Failure(BaseModel):
    """The body of every answer that is not a success."""

    status: Literal["error"] = "error"
    error: Fault


class OpenAiFault(BaseModel):
    """What was wrong: a sentence with what to do next, whose fault it is, the field that it is about, a code."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str


class OpenAiFailure(BaseModel):
    """The body of every answer under /v1 that is not a success."""

    error: OpenAiFault


OPENAI_FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": OpenAiFailure, "description": "The request cannot be served as it is."},
    "5XX": {"model": OpenAiFailure, "description": "Something failed here or on a server behind."},
}


def failure(request: Request, error: KuamoError) -> JSONResponse:
    """Return the answer that tells an error in the language of Accept-Language."""
    status = STATUSES.get(error.status, error.status) if _is_openai(request) else error.status
    return JSONResponse(told(request, error).model_dump(), status, headers={"Content-Language": _language(request)})


def told(request: Request, error: KuamoError) -> Failure | OpenAiFailure:
    """Return an error as the body of an answer or an event."""
    language = _language(request)
    if not _is_openai(request):
        return Failure(error=Fault(code=error.code, message=error.message(language), hint=error.hint(language)))
    kind: Literal["invalid_request_error", "server_error"] = "invalid_request_error"
    if STATUSES.get(error.status, error.status) >= 500:
        kind = "server_error"
    field = error.values.get("field")
    param = None if field is None else str(field)
    return OpenAiFailure(error=OpenAiFault(message=error.line(language), type=kind, param=param, code=error.code))


def _is_openai(request: Request) -> bool:
    return request.url.path.startswith("/v1/")


def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))


async def _known(request: Request, error: KuamoError) -> JSONResponse:
    return failure(request, error)


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    fault = error.errors()[0]
    if fault["type"] == "json_invalid" and isinstance(fault["loc"][-1], int):  # the body itself
        return failure(request, KuamoError("request_unreadable"))
    code = "field_missing" if fault["type"] == "missing" else "field_wrong"
    field = ".".join(map(str, fault["loc"][1:])) or "body"
    return failure(request, KuamoError(code, field=field))


async def _refused(request: Request, error: HTTPException) -> JSONResponse:
    code = {404: "no_such_address", 405: "wrong_method"}.get(error.status_code, "request_unreadable")
    answer = failure(request, KuamoError(code))
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    answer = failure(request, KuamoError("our_fault"))  # the server logs the traceback
    answer.headers.update(SAFE)  # this handler stands outside the middleware
    return answer


HANDLERS: dict[Any, Handler] = {
    KuamoError: _known,
    RequestValidationError: _invalid,
    HTTPException: _refused,
    Exception: _unexpected,
}
