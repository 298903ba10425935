"""POST /v1/embeddings with OpenAI's own client: texts and pictures in one space."""

from base64 import b64encode
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import openai
import PIL.Image
import pytest
from numpy.typing import NDArray


def vectors(client: openai.OpenAI, given: Any, **options: Any) -> NDArray[np.float64]:
    answer = client.embeddings.create(**{"model": "text-embedding-3-small", "input": given, **options})
    assert [row.index for row in answer.data] == list(range(len(answer.data)))
    return np.array([row.embedding for row in answer.data])


def refusal(client: openai.OpenAI, given: Any, **options: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        vectors(client, given, **options)
    assert 400 <= caught.value.status_code < 500
    return caught.value


def part(colour: str) -> dict[str, Any]:
    buffer = BytesIO()
    PIL.Image.new("RGB", (64, 64), colour).save(buffer, "PNG")
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"}}


def test_texts_become_unit_vectors_in_their_order(nano: openai.OpenAI) -> None:
    both = vectors(nano, ["a red car", "一辆红色的车"])
    assert np.linalg.norm(both, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors(nano, "一辆红色的车")[0] == pytest.approx(both[1], abs=1e-5)
    assert not np.allclose(both[0], both[1])


def test_numbers_and_base64_are_the_same(nano: openai.OpenAI) -> None:
    """The client asks for base64 unless told otherwise."""
    assert vectors(nano, "fish", encoding_format="float")[0] == pytest.approx(vectors(nano, "fish")[0], abs=1e-7)


def test_pictures_and_texts_keep_their_places(nano: openai.OpenAI) -> None:
    mixed = vectors(nano, [part("red"), "a tree", {"type": "text", "text": "a fish"}, part("blue")])
    assert mixed[1:3] == pytest.approx(vectors(nano, ["a tree", "a fish"]), abs=1e-5)
    assert mixed[[0, 3]] == pytest.approx(vectors(nano, [part("red"), part("blue")]), abs=1e-5)


def test_the_length_of_a_vector_can_be_said_but_not_changed(nano: openai.OpenAI) -> None:
    length = vectors(nano, "fish").shape[1]
    assert vectors(nano, "fish", dimensions=length).shape == (1, length)
    error = refusal(nano, "fish", dimensions=8)
    assert (error.code, error.param) == ("parameter_unsupported", "dimensions")
    assert str(length) in error.message


def test_the_model_that_made_them_is_named(nano: openai.OpenAI) -> None:
    assert nano.embeddings.create(model="embed", input="x").model == "nano-clip"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], "field_wrong"),
        ("", "text_empty"),
        (["fish", " \n"], "text_empty"),
        ("x" * 20_001, "text_too_long"),
        ([1, 2, 3], "tokens_not_read"),
        ([[1, 2], [3]], "tokens_not_read"),
        (["x"] * 2_049, "field_wrong"),
        ([None], "field_wrong"),
        ([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}], "picture_not_fetched"),
        ([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}], "field_wrong"),
    ],
)
def test_odd_input_is_refused(nano: openai.OpenAI, given: Any, code: str) -> None:
    assert refusal(nano, given).code == code


def test_a_model_that_makes_no_vectors_is_not_found(nano: openai.OpenAI) -> None:
    assert refusal(nano, "x", model="nano-chat").code == "unknown_model"


def test_the_interface_is_described_without_automatic_failures(nano: openai.OpenAI) -> None:
    paths = httpx.get(f"{str(nano.base_url).removesuffix('/v1/')}/openapi.json").json()["paths"]
    ours = {
        path: operation for path, methods in paths.items() if path.startswith("/v1/") for operation in methods.values()
    }
    assert "/v1/embeddings" in ours
    for operation in ours.values():
        failures = {status: body for status, body in operation["responses"].items() if status != "200"}
        assert failures.keys() <= {"4XX", "5XX"}
        assert all("OpenAiFailure" in str(body) for body in failures.values())
