"""POST /v1/responses with OpenAI's own client."""

from base64 import b64encode
from typing import Any

import openai
import pytest
from starlette.testclient import TestClient

from made_up import Endless


def reply(client: openai.OpenAI, given: Any = "你好！", **options: Any) -> Any:
    return client.responses.create(**{"model": "gpt-4o", "input": given, "temperature": 0, **options})


def refusal(client: openai.OpenAI, given: Any = "x", **options: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        reply(client, given, **options)
    assert caught.value.status_code == 400
    return caught.value


def test_a_reply_is_that_of_a_chat(nano: openai.OpenAI) -> None:
    answer = reply(nano, instructions="Be brief.")
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "你好！"}]
    chat = nano.chat.completions.create(model="", messages=turns, temperature=0)  # type: ignore[arg-type]
    assert answer.output_text == chat.choices[0].message.content
    assert (answer.status, answer.model, answer.error) == ("completed", "nano-chat", None)
    assert chat.usage is not None
    assert answer.usage.total_tokens == chat.usage.total_tokens
    assert answer.usage.input_tokens_details.cached_tokens == 0


def test_earlier_turns_are_sent_along(nano: openai.OpenAI) -> None:
    first = reply(nano)
    turns = [{"role": "user", "content": "你好！"}, first.output[0].to_dict(), {"role": "user", "content": "谢谢"}]
    assert reply(nano, turns).usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens


def test_a_limit_leaves_the_reply_incomplete(nano: openai.OpenAI) -> None:
    answer = reply(nano, max_output_tokens=2)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert answer.usage.output_tokens == 2


def test_the_events_of_a_reply(nano: openai.OpenAI) -> None:
    events = list(reply(nano, stream=True))
    kinds = [event.type.removeprefix("response.") for event in events]
    deltas = kinds.count("output_text.delta")
    assert deltas >= 1
    assert kinds == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *["output_text.delta"] * deltas,
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta").strip()
    assert text == events[-1].response.output_text == events[-4].text == reply(nano).output_text
    assert events[0].response.id == events[-1].response.id


def test_openais_own_accumulator_understands_the_events(nano: openai.OpenAI) -> None:
    with nano.responses.stream(model="chat", input="你好！", temperature=0) as stream:
        assert stream.get_final_response().output_text == reply(nano).output_text


def test_a_picture_is_seen(client: TestClient, png: bytes) -> None:
    url = f"data:image/png;base64,{b64encode(png).decode()}"
    content = [{"type": "input_image", "image_url": url}, {"type": "input_text", "text": "How large?"}]
    answer = client.post("/v1/responses", json={"input": [{"role": "user", "content": content}]}).json()
    assert answer["output"][0]["content"][0]["text"] == "60x40 How large?"
    assert answer["usage"] is None


def test_a_client_that_leaves_stops_the_engine(nano: openai.OpenAI) -> None:
    Endless.closed.clear()
    with reply(nano, model="endless", stream=True) as events:
        for _, _event in zip(range(8), events, strict=False):
            pass
    assert Endless.closed.wait(20)


@pytest.mark.parametrize(
    ("given", "options", "param"),
    [
        ("x", {"tools": [{"type": "web_search"}]}, "tools"),
        ("x", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("x", {"background": True}, "background"),
        ("x", {"text": {"format": {"type": "json_object"}}}, "text.format.type"),
        ([], {}, "input"),
        ([{"type": "reasoning", "summary": []}], {}, "input.0.type"),
        ([{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}], {}, "input.0.content.0"),
    ],
)
def test_what_cannot_be_served_is_named(nano: openai.OpenAI, given: Any, options: dict[str, Any], param: str) -> None:
    assert refusal(nano, given, **options).param == param
