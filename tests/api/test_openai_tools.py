"""Tools in POST /v1/chat/completions, with OpenAI's own client."""

import json
from typing import Any

import openai
import pytest

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASK: list[dict[str, Any]] = [{"role": "user", "content": "北京"}]


def say(client: openai.OpenAI, messages: Any = ASK, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": "caller", "messages": messages, "tools": [WEATHER], **options})


def test_a_tool_is_called_and_what_it_gave_is_read(nano: openai.OpenAI) -> None:
    choice = say(nano).choices[0]
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, choice.message.content, call.function.name) == ("tool_calls", None, "weather")
    assert json.loads(call.function.arguments) == {"of": "北京"}
    gave = {"role": "tool", "tool_call_id": call.id, "content": "晴"}
    after = say(nano, [*ASK, choice.message.to_dict(), gave]).choices[0]
    assert (after.finish_reason, after.message.content, after.message.tool_calls) == ("stop", "weather gave 晴", None)


def test_calls_are_streamed(nano: openai.OpenAI) -> None:
    chunks = list(say(nano, stream=True, tools=[WEATHER, WEATHER]))
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    calls = chunks[-2].choices[0].delta.tool_calls
    assert [(call.index, call.type, call.function.arguments) for call in calls] == [
        (0, "function", '{"of": "北京"}'),
        (1, "function", '{"of": "北京"}'),
    ]
    assert len({call.id for call in calls}) == 2


def test_tools_may_be_offered_and_not_used(nano: openai.OpenAI) -> None:
    assert say(nano, tool_choice="none").choices[0].finish_reason == "stop"
    assert say(nano, tools=[], tool_choice="auto").choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"model": "nano-chat"}, "no_tools"),
        ({"model": "nano-llava"}, "no_tools"),
        ({"tools": [{"type": "web_search"}]}, "field_wrong"),
        ({"tools": [{"type": "function", "function": {"name": "天气"}}]}, "field_wrong"),
        ({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, "parameter_unsupported"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]},
            "field_wrong",
        ),
    ],
)
def test_what_cannot_be_served_is_refused(nano: openai.OpenAI, options: dict[str, Any], code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        say(nano, **options)
    assert caught.value.code == code
