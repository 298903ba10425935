"""Tools that a model calls by writing <tool_call>{"name": …, "arguments": {…}}</tool_call>, as Qwen and Hermes do."""

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

from kuamo.contracts import ChatRequest, Ending, Message, ToolCall
from kuamo.engines.generation import overlap, plain
from kuamo.stream import passed_on

OPEN = "<tool_call>"
CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|$)", re.DOTALL)


def knows_tools(template: str) -> bool:
    """Whether a chat template lists tools and has the model call them in this form."""
    return OPEN in template and "tools" in template


def turn(message: Message, tokenizer: Any) -> dict[str, Any]:
    """Return a message as chat templates read it; what was said or called holds no special token."""
    said: dict[str, Any] = {"role": message.role, "content": plain(message.text, tokenizer)}
    if message.calls:
        calls = [{"name": call.name, "arguments": call.arguments} for call in message.calls]
        said["tool_calls"] = [{"type": "function", "function": call} for call in _plain(calls, tokenizer)]
    return said


def tools(request: ChatRequest, tokenizer: Any) -> list[dict[str, Any]]:
    """Return a request's tools without special tokens."""
    return _plain(list(request.tools), tokenizer)


def _plain(value: list[dict[str, Any]], tokenizer: Any) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(plain(json.dumps(value, ensure_ascii=False), tokenizer))
    return read


def without_calls(pieces: Generator[str, None, Ending]) -> Generator[str, None, Ending]:
    """Yield a reply's text up to its first tool call; return the ending with the calls in it.

    A call that is not JSON of this form stays text.
    """
    text, sent = "", 0

    def safely(piece: str) -> Iterator[str]:
        nonlocal text, sent
        text += piece
        place = text.find(OPEN)
        safe = place if place >= 0 else len(text) - overlap(text, OPEN)
        if safe > sent:
            yield text[sent:safe]
            sent = safe

    ending = yield from passed_on(pieces, safely)
    if calls := tuple(_calls(text[sent:])):
        return replace(ending, end="calls", calls=calls)
    if text[sent:]:
        yield text[sent:]
    return ending


def _calls(text: str) -> Iterator[ToolCall]:
    for found in CALL.finditer(text):
        try:
            call = json.loads(found[1])
        except json.JSONDecodeError:
            continue
        arguments = call.get("arguments", {})
        if isinstance(call.get("name"), str) and isinstance(arguments, dict):
            yield ToolCall(call["name"], arguments)
