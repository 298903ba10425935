"""Every failure in one shape, in the caller's language; what happened inside goes to the log alone."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from kuamo.api.headers import SAFE
from kuamo.errors import KuamoError
from kuamo.messages import language_of

Handler = Callable[[Request, Any], Awaitable[JSONResponse]]


class Fault(BaseModel):
    """What was wrong: a code for programs, a sentence and what to do next for people."""

    code: str
    message: str
    hint: str


class Failure(BaseModel):
    """The body of every answer that is not a success."""

    status: Literal["error"] = "error"
    error: Fault


def failure(request: Request, error: KuamoError) -> JSONResponse:
    """Return the answer that tells an error in the language of Accept-Language."""
    language = language_of(request.headers.get("accept-language"))
    fault = Fault(code=error.code, message=error.message(language), hint=error.hint(language))
    return JSONResponse(Failure(error=fault).model_dump(), error.status, headers={"Content-Language": language})


async def _known(request: Request, error: KuamoError) -> JSONResponse:
    return failure(request, error)


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    fault = error.errors()[0]
    code = "field_missing" if fault["type"] == "missing" else "field_wrong"
    return failure(request, KuamoError(code, field=fault["loc"][-1]))


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
