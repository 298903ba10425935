"""GET /v1/models with OpenAI's own client, the names it knows, and failures in OpenAI's shape."""

import httpx
import openai
import pytest
from starlette.testclient import TestClient

from kuamo.api.names import model_of
from kuamo.catalogue import Catalogue
from kuamo.contracts import Capability
from kuamo.runtime import Models
from kuamo.settings import Settings


def test_the_capability_words_and_the_models_of_the_profile_are_listed(nano: openai.OpenAI) -> None:
    names = [model.id for model in nano.models.list()]
    assert {"answer", "chat", "transcribe", "speak", "embed", "align"} <= set(names)
    assert {"nano-chat", "nano-llava", "nano-clip", "espeak"} <= set(names)
    assert not {"draw", "llava-1.5-7b", "gpt-4o", "rapidocr"} & set(names)
    assert len(set(names)) == len(names)


def test_one_model_is_described(nano: openai.OpenAI) -> None:
    card = nano.models.retrieve("nano-chat")
    assert (card.id, card.object, card.owned_by) == ("nano-chat", "model", "kuamo")
    assert card.model_extra == {"capabilities": ["chat"], "languages": ["en", "zh"], "licence": "Apache-2.0"}
    for name in ("nothing", "a/b", "照片"):
        with pytest.raises(openai.NotFoundError) as caught:
            nano.models.retrieve(name)
        assert caught.value.code == "no_such_model"


def models(**settings: object) -> Models:
    chosen = Settings.read(**settings)
    return Models(Catalogue.load(chosen.model), chosen)


@pytest.mark.parametrize(
    ("capability", "name"),
    [
        ("chat", "gpt-4o"),
        ("chat", "gpt-5.4-mini"),
        ("answer", "o3"),
        ("answer", "chatgpt-4o-latest"),
        ("draw", "dall-e-3"),
        ("draw", "gpt-image-1"),
        ("transcribe", "whisper-1"),
        ("transcribe", "gpt-4o-mini-transcribe"),
        ("speak", "tts-1-hd"),
        ("speak", "gpt-4o-mini-tts"),
        ("embed", "text-embedding-3-large"),
        ("chat", ""),
        ("chat", "chat"),
        ("embed", "embed"),
    ],
)
def test_openais_names_mean_the_servers_choice(capability: Capability, name: str) -> None:
    assert model_of(name, capability, models()) is None


def test_a_name_of_openais_that_is_in_force_means_that_model() -> None:
    row = {"name": "gpt-4o", "source": "http://localhost:1/v1#x", "engine": "kuamo.engines.remote:Remote"}
    assert model_of("gpt-4o", "chat", models(profile="remote")) == "gpt-4o"
    assert model_of("gpt-4o", "chat", models(model=({**row, "capabilities": ["chat"]},))) == "gpt-4o"


@pytest.mark.parametrize(("capability", "name"), [("chat", "whisper-1"), ("draw", "gpt-4o"), ("chat", "llama3")])
def test_any_other_name_is_a_models_own(capability: Capability, name: str) -> None:
    assert model_of(name, capability, models()) == name


# --- failures


def test_a_failure_has_openais_shape_in_the_callers_language(client: TestClient) -> None:
    body = {"model": "nothing", "messages": [{"role": "user", "content": "你好"}]}
    answer = client.post("/v1/chat/completions", json=body, headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 404
    assert answer.headers["content-language"] == "zh"
    assert answer.json() == {
        "error": {
            "message": "没有可用于“chat”的模型 nothing。`kuamo models` 会列出全部模型。",
            "type": "invalid_request_error",
            "param": None,
            "code": "unknown_model",
        }
    }


@pytest.mark.parametrize(
    ("content", "code", "param"),
    [
        (b"", "field_missing", "body"),
        (b"{", "request_unreadable", None),
        (b"[1]", "field_wrong", "body"),
        (b'{"messages": "\\ud800"}', "request_unreadable", None),
        (b'{"messages": [{"role": "user", "content": "x"}], "temperature": NaN}', "request_unreadable", None),
        (b"[" * 100_000, "request_unreadable", None),
        (b"{}", "field_missing", "messages"),
        (b'{"messages": [{"role": "king", "content": "x"}]}', "field_wrong", "messages.0"),
    ],
)
def test_json_that_cannot_be_read_is_refused(client: TestClient, content: bytes, code: str, param: str | None) -> None:
    answer = client.post("/v1/chat/completions", content=content, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)


def test_an_address_that_is_not_there_and_a_wrong_method_have_the_shape(nano: openai.OpenAI) -> None:
    for method, path, status in (("GET", "nothing", 404), ("GET", "chat/completions", 405)):
        answer = httpx.request(method, f"{nano.base_url}{path}")
        assert answer.status_code == status
        assert answer.json()["error"]["type"] == "invalid_request_error"
