"""POST /v1/chat/completions with OpenAI's own client: text, pictures, sound, streams, and what is refused."""

import json
import time
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import PIL.Image
import pytest
from openai.types.chat import ChatCompletion
from starlette.testclient import TestClient

from kuamo.media.audio import Audio
from kuamo.world.sample import write_sample
from made_up import Endless

ASK = [{"role": "user", "content": "你好！"}]


def say(client: openai.OpenAI, messages: Any = ASK, **options: Any) -> ChatCompletion:
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": messages, "temperature": 0, **options})


def text(completion: ChatCompletion) -> str:
    return completion.choices[0].message.content or ""


def data_url(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def seen(png: bytes, question: str = "How large?") -> list[dict[str, Any]]:
    picture = {"type": "image_url", "image_url": {"url": data_url(png), "detail": "low"}}
    return [{"role": "user", "content": [{"type": "text", "text": question}, picture]}]


def refusal(client: openai.OpenAI, messages: Any = ASK, **options: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        say(client, messages, **options)
    assert 400 <= caught.value.status_code < 500
    return caught.value


# --- text


def test_a_turn_is_written_and_its_tokens_are_counted(nano: openai.OpenAI) -> None:
    answer = say(nano)
    assert text(answer)
    assert (answer.object, answer.model, answer.choices[0].finish_reason) == ("chat.completion", "nano-chat", "stop")
    usage = answer.usage
    assert usage is not None
    assert usage.prompt_tokens > 3
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert 0 < usage.completion_tokens <= len(text(answer)) + 1


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_tokens_ends_the_turn(nano: openai.OpenAI, name: str) -> None:
    answer = say(nano, **{name: 2})
    assert answer.usage is not None
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 2)


def test_a_seed_says_the_same_again(nano: openai.OpenAI) -> None:
    options = {"temperature": 2, "top_p": 1, "max_tokens": 12}
    same = {text(say(nano, seed=7, **options)) for _ in range(3)}
    others = {text(say(nano, seed=seed, **options)) for seed in range(4)}
    assert len(same) == 1
    assert len(others) > 1


def test_the_text_ends_before_a_stop_sequence(nano: openai.OpenAI) -> None:
    whole = text(say(nano))
    middle = whole[len(whole) // 2 :][:2]
    expected = whole[: whole.index(middle)].strip()
    for stop in (middle, ["never said", middle]):
        answer = say(nano, stop=stop)
        assert (text(answer), answer.choices[0].finish_reason) == (expected, "stop")
    assert text(say(nano, stop=[])) == whole


def test_a_conversation_goes_on(nano: openai.OpenAI) -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there!"}],
            "name": "a",
        },
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "谢谢"},
    ]
    alone, after = say(nano, turns[-1:]), say(nano, turns)
    assert alone.usage is not None
    assert after.usage is not None
    assert after.usage.prompt_tokens > alone.usage.prompt_tokens
    assert text(after)


def test_unknown_fields_are_ignored(nano: openai.OpenAI) -> None:
    more = {
        "stop": None,
        "tools": None,
        "seed": None,
        "user": "me",
        "store": False,
        "metadata": {"a": "b"},
        "extra_body": {"keep_alive": 5, "n": 1, "tools": []},
    }
    assert text(say(nano, **more)) == text(say(nano))


# --- streams


def test_a_stream_has_the_same_text_in_pieces(nano: openai.OpenAI) -> None:
    chunks = list(say(nano, stream=True, stream_options={"include_usage": True}))  # type: ignore[call-overload]
    whole = say(nano)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]).strip() == text(whole)
    assert [chunk.choices[0].finish_reason for chunk in chunks[-3:-1]] == [None, "stop"]
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}


def test_a_stream_ends_in_done_and_tells_no_usage_unasked(nano: openai.OpenAI) -> None:
    answer = httpx.post(f"{nano.base_url}chat/completions", json={"messages": ASK, "stream": True}, timeout=60)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(event.startswith("data: {") for event in events[:-2])
    assert all("usage" not in json.loads(event[6:]) for event in events[:-2])


def test_a_fault_before_the_first_piece_is_a_status(nano: openai.OpenAI) -> None:
    assert refusal(nano, stream=True, model="nothing").status_code == 404
    assert refusal(nano, [{"role": "user", "content": "很长。" * 3000}], stream=True).code == "conversation_too_long"


def test_a_fault_in_the_middle_of_a_stream_is_told_without_a_secret(nano: openai.OpenAI) -> None:
    Endless.words = 0
    with pytest.raises(openai.APIError) as caught:
        list(say(nano, [{"role": "user", "content": "fail"}], model="endless", stream=True))
    assert caught.value.code == "our_fault"
    assert "secret" not in str(caught.value)


def wait_until_closed() -> None:
    assert Endless.closed.wait(20)
    words = Endless.words
    time.sleep(0.05)
    assert Endless.words == words


def test_a_client_that_leaves_a_stream_stops_the_engine(nano: openai.OpenAI) -> None:
    Endless.closed.clear()
    with say(nano, model="endless", stream=True) as chunks:  # type: ignore[attr-defined]
        for _, chunk in zip(range(5), chunks, strict=False):
            assert chunk.choices[0].delta.content in ("", "on ")
    wait_until_closed()


def test_a_client_that_leaves_while_it_waits_stops_the_engine(nano: openai.OpenAI) -> None:
    Endless.closed.clear()
    with pytest.raises(openai.APITimeoutError):
        say(nano, model="endless", timeout=0.3)
    wait_until_closed()


# --- pictures


def test_a_picture_is_asked(client: TestClient, png: bytes) -> None:
    answer = client.post("/v1/chat/completions", json={"messages": seen(png)}).json()
    assert answer["choices"][0]["message"]["content"] == "60x40 How large?"
    assert answer["usage"] is None


@pytest.mark.parametrize("form", ["{}", "/uploads/{}", "http://testserver/uploads/{}"])
def test_a_picture_kept_here_is_asked_by_its_name(client: TestClient, png: bytes, form: str) -> None:
    kept = client.post("/qa", data={"question": "?"}, files={"image": png}).json()["image_url"]
    messages = seen(png)
    messages[0]["content"][1]["image_url"]["url"] = form.format(kept.removeprefix("/uploads/"))
    answer = client.post("/v1/chat/completions", json={"messages": messages, "model": "measurer"}).json()
    assert answer["choices"][0]["message"]["content"].startswith("60x40 ")


def test_the_model_in_the_box_sees_its_world_and_counts_the_pictures_tokens(
    nano: openai.OpenAI, tmp_path: Path
) -> None:
    list(write_sample(1, 1, tmp_path))
    path = min(tmp_path.rglob("*.png"))
    answer = say(nano, seen(path.read_bytes(), "What is in the picture?"), model="nano-llava")
    blind = say(nano, [{"role": "user", "content": "What is in the picture?"}], model="answer")
    assert text(answer)
    assert answer.model == blind.model == "nano-llava"
    assert answer.usage is not None
    assert blind.usage is not None
    assert answer.usage.prompt_tokens > blind.usage.prompt_tokens + 10


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://169.254.169.254/latest/meta-data", "picture_not_fetched"),
        ("https://example.com/a.png", "picture_not_fetched"),
        ("file:///etc/passwd", "picture_not_fetched"),
        ("../../etc/passwd", "picture_not_fetched"),
        ("", "picture_not_fetched"),
        ("/uploads/" + "0" * 32, "upload_gone"),
        ("data:image/png;base64,%%%", "base64_broken"),
        ("data:image/png;base64,照片", "base64_broken"),
        ("data:image/png,abc", "base64_broken"),
        ("data:image/png;base64,", "file_empty"),
        ("data:image/png;base64,aGVsbG8=", "not_an_image"),
    ],
)
def test_no_other_picture_is_read_and_nothing_is_fetched(client: TestClient, url: str, code: str) -> None:
    messages = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    answer = client.post("/v1/chat/completions", json={"messages": messages})
    assert answer.json()["error"]["code"] == code
    assert 400 <= answer.status_code < 500


def picture(width: int, height: int) -> bytes:
    buffer = BytesIO()
    PIL.Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_of_one_request_share_the_limit_of_pixels(client: TestClient) -> None:
    """The limit is 4 megapixels."""
    one = seen(picture(1_200, 1_000))
    assert client.post("/v1/chat/completions", json={"messages": one}).status_code == 200
    answer = client.post("/v1/chat/completions", json={"messages": one * 4})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "image_too_large")
    bomb = client.post("/v1/chat/completions", json={"messages": seen(picture(30_000, 30_000))})
    assert (bomb.status_code, bomb.json()["error"]["code"]) == (413, "image_too_large")


def test_ten_megabytes_in_a_data_url_are_answered(nano: openai.OpenAI) -> None:
    buffer = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (1_600, 2_100, 3), np.uint8)
    PIL.Image.fromarray(noise).save(buffer, "PNG", compress_level=0)
    assert len(buffer.getvalue()) > 10_000_000
    assert text(say(nano, seen(buffer.getvalue()), model="measurer")) == "2100x1600 How large?"


# --- sound


def test_speech_is_written_down_first(nano: openai.OpenAI) -> None:
    sound = nano.audio.speech.create(model="tts-1", voice="alloy", input="hello there", response_format="wav")
    spoken = {"type": "input_audio", "input_audio": {"data": b64encode(sound.content).decode(), "format": "wav"}}
    answer = say(nano, [{"role": "user", "content": [spoken]}])
    heard = say(nano, [{"role": "user", "content": "."}])
    assert text(answer)
    assert answer.usage is not None
    assert heard.usage is not None
    assert answer.usage.prompt_tokens > heard.usage.prompt_tokens


def test_sound_that_is_none_is_refused(nano: openai.OpenAI) -> None:
    silence = Audio(np.zeros(16_000, np.float32), 16_000).encode("wav")
    for data, code in ((silence, "heard_nothing"), (b"no sound", "not_audio"), (b"", "file_empty")):
        part = {"type": "input_audio", "input_audio": {"data": b64encode(data).decode(), "format": "wav"}}
        assert refusal(nano, [{"role": "user", "content": [part]}]).code == code


# --- what is refused


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"tool_choice": "required"}, "tool_choice"),
    ],
)
def test_what_cannot_be_served_is_named(nano: openai.OpenAI, options: dict[str, Any], param: str) -> None:
    error = refusal(nano, **options)
    assert (error.status_code, error.code, error.param) == (400, "parameter_unsupported", param)


@pytest.mark.parametrize(
    ("messages", "options"),
    [
        ([], {}),
        ("你好", {}),
        ([{"role": "user"}], {}),
        ([{"role": "user", "content": None}], {}),
        ([{"role": "user", "content": [{"type": "video_url", "video_url": {"url": "x"}}]}], {}),
        (ASK * 2049, {}),
        (ASK, {"temperature": -1}),
        (ASK, {"temperature": 3}),
        (ASK, {"top_p": 2}),
        (ASK, {"max_tokens": 0}),
        (ASK, {"max_tokens": 10**9}),
        (ASK, {"seed": 2**63}),
        (ASK, {"stop": list("abcde")}),
        (ASK, {"stop": [""]}),
        (ASK, {"stop": 5}),
        ([{"role": "user", "content": "x" * 200_001}], {}),
    ],
)
def test_odd_input_is_refused(nano: openai.OpenAI, messages: Any, options: dict[str, Any]) -> None:
    refusal(nano, messages, **options)


def test_an_empty_message_is_a_message(nano: openai.OpenAI) -> None:
    assert say(nano, [{"role": "user", "content": ""}]).object == "chat.completion"
