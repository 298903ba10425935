"""Tools on OpenAI's wire: what a client offers, and what a model wants called."""

import json
import secrets
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, Json

from kuamo.contracts import ToolCall


class Function(BaseModel):
    """A function: its name, what it does, and its parameters as JSON Schema."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] = {"type": "object", "properties": {}}


class Tool(BaseModel):
    """A function that the model may call."""

    type: Literal["function"]
    function: Function


class GivenFunction(BaseModel):
    """A function called earlier; its arguments are a JSON object in a text."""

    name: str
    arguments: Json[dict[str, Any]]


class GivenCall(BaseModel):
    """A call of an earlier turn."""

    function: GivenFunction

    def call(self) -> ToolCall:
        """Return the call."""
        return ToolCall(self.function.name, self.function.arguments)


class CalledFunction(BaseModel):
    """A function to call; its arguments are a JSON object in a text."""

    name: str
    arguments: str


class Call(BaseModel):
    """A call that the model wants made; `index` counts them where they are streamed."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction

    @classmethod
    def of(cls, call: ToolCall, **more: int) -> Self:
        """Return a call as the wire has it."""
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        function = CalledFunction(name=call.name, arguments=arguments)
        return cls(id=f"call_{secrets.token_hex(12)}", type="function", function=function, **more)


class StreamedCall(Call):
    """A call in a chunk."""

    index: int
