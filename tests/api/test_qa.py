"""POST /qa: answers, bad input, and a server that goes on."""

import json
import socket
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import PIL.Image
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from made_up import Measurer
from serving import served


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int) -> bytes:
    """Return a black PNG, 1 bit a pixel, that is small however many pixels it says it has."""
    squeezed = zlib.compressobj(9)
    rows = b"".join(squeezed.compress(bytes((width + 7) // 8 + 1)) for _ in range(height)) + squeezed.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def ask(client: TestClient | httpx.Client, image: bytes, question: str = "How large?", **fields: str) -> Any:
    return client.post("/qa", data={"question": question, **fields}, files={"image": ("a.png", image)})


def failure(answer: Any) -> dict[str, str]:
    """Return the error of an answer, once it is in the one shape and has no more to say than its lines."""
    body = answer.json()
    assert body.keys() == {"status", "error"}
    assert body["status"] == "error"
    assert body["error"].keys() == {"code", "message", "hint"}
    assert "\n" not in body["error"]["message"]
    return dict(body["error"])


# --- answers


def test_a_question_about_a_picture_is_answered(client: TestClient, png: bytes) -> None:
    answer = ask(client, png, "How large?", model="measurer").json()
    assert answer["status"] == "success"
    assert answer["question"] == "How large?"
    assert answer["answer"].startswith("60x40 ")
    assert "How large?" in answer["answer"]
    assert answer["places"] == []
    assert "measurer" in [trace["model"] for trace in answer["traces"]]


def test_an_answer_is_data_not_markup(client: TestClient, png: bytes) -> None:
    answer = ask(client, png, "<script>alert(1)</script>")
    assert answer.headers["content-type"] == "application/json"
    assert "<script>" in answer.json()["answer"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "图片 一.png", "a\r\nb", "C:\\x.png", "", "a" * 200])
def test_no_file_name_is_used(client: TestClient, kept: Path, png: bytes, name: str) -> None:
    name = name or "x"
    answer = client.post("/qa", data={"question": "?"}, files={"image": (name, png)})
    assert answer.status_code == 200
    (file,) = kept.iterdir()
    assert file.name == answer.json()["image_url"].removeprefix("/uploads/") + ".png"


# --- bad input


@pytest.mark.parametrize(
    ("image", "code", "status"),
    [
        (b"no picture at all", "not_an_image", 415),
        (b"", "file_empty", 422),
        (png_of(60, 40)[:45], "image_damaged", 422),
        (png_of(3_000, 3_000), "image_too_large", 413),
        (b"GIF89a", "not_an_image", 415),
        (b"x" * 2_000_001, "file_too_large", 413),
    ],
    ids=["text", "nothing", "cut", "bomb", "head", "large"],
)
def test_a_bad_picture_is_refused_in_one_line(
    client: TestClient, kept: Path, image: bytes, code: str, status: int
) -> None:
    answer = ask(client, image)
    assert (answer.status_code, failure(answer)["code"]) == (status, code)
    assert not kept.exists()


def test_a_picture_of_30000_by_30000_pixels_is_refused_before_it_is_decoded(client: TestClient) -> None:
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    image = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    answer = ask(client, image)
    assert (answer.status_code, failure(answer)["code"]) == (413, "image_too_large")


@pytest.mark.parametrize(
    ("question", "code", "status"),
    [
        ("x" * 100_000, "text_too_long", 413),
        ("x" * 1_100_000, "request_unreadable", 400),
        (" \t", "text_empty", 422),
    ],
)
def test_a_bad_question_is_refused(
    client: TestClient, kept: Path, png: bytes, question: str, code: str, status: int
) -> None:
    answer = ask(client, png, question)
    assert (answer.status_code, failure(answer)["code"]) == (status, code)
    assert not kept.exists()


def test_a_missing_field_is_named(client: TestClient, png: bytes) -> None:
    for sent in ({"data": {"question": "?"}}, {"json": {"question": "?"}}, {"content": b"?"}):
        answer = client.post("/qa", **sent)  # type: ignore[arg-type]
        assert (answer.status_code, failure(answer)["code"]) == (422, "field_missing")
        assert "image" in failure(answer)["message"] or "question" in failure(answer)["message"]
    answer = client.post("/qa", files={"image": png}, headers={"Accept-Language": "zh"})
    assert failure(answer)["message"] == "缺少字段“question”。"


def test_a_text_in_place_of_the_picture_is_refused(client: TestClient) -> None:
    answer = client.post("/qa", data={"question": "?", "image": "text"})
    assert (answer.status_code, failure(answer)["code"]) == (422, "field_wrong")


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "nonsense"])
def test_a_body_of_another_kind_is_refused(client: TestClient, kind: str) -> None:
    answer = client.post("/qa", content=b"--y\r\nnothing", headers={"Content-Type": kind})
    assert answer.status_code in (400, 422)
    failure(answer)


@pytest.mark.parametrize("model", ["nothing", "../../etc/passwd", "blind", "http://127.0.0.1:1/v1#x"])
def test_a_model_outside_the_catalogue_is_not_found(client: TestClient, kept: Path, png: bytes, model: str) -> None:
    answer = ask(client, png, model=model)
    assert (answer.status_code, failure(answer)["code"]) == (404, "unknown_model")
    assert not kept.exists()


def test_a_failure_of_ours_tells_nothing_and_leaves_nothing(client: TestClient, kept: Path, png: bytes) -> None:
    answer = ask(client, png, model="failure")
    assert (answer.status_code, failure(answer)["code"]) == (500, "our_fault")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not kept.exists()
    assert ask(client, png).status_code == 200


@given(image=st.binary(max_size=400), question=st.text(max_size=60), model=st.text(max_size=10))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_in_one_shape(client: TestClient, image: bytes, question: str, model: str) -> None:
    answer = client.post("/qa", data={"question": question, "model": model}, files={"image": ("x", image)})
    assert 400 <= answer.status_code < 500
    failure(answer)


@given(st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_picture_cut_or_changed_anywhere_is_answered_or_refused(client: TestClient, data: st.DataObject) -> None:
    buffer = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(buffer, data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF"])))
    changed = bytearray(buffer.getvalue())
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    answer = ask(client, bytes(changed[: data.draw(st.integers(1, len(changed)))]))
    assert answer.status_code in (200, 413, 415, 422)


# --- a real server


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    with served(app) as address:
        yield address


def test_while_engines_work_health_answers(address: str, png: bytes) -> None:
    Measurer.gate.clear()
    with ThreadPoolExecutor(4) as pool, httpx.Client(base_url=address, timeout=30) as client:
        asked = [pool.submit(ask, client, png, model="waiter") for _ in range(4)]
        for _ in asked:
            assert Measurer.waiting.acquire(timeout=20)
        assert client.get("/health").json()["status"] == "ok"
        assert not any(one.done() for one in asked)
        Measurer.gate.set()
        assert [one.result().status_code for one in asked] == [200] * 4


def wire(address: str, *parts: bytes) -> bytes:
    """Send bytes as they are and return all that comes back."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


HEAD = b"POST /qa HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'


def test_a_body_over_the_limit_is_refused_by_its_length_before_it_is_sent(address: str, kept: Path) -> None:
    answer = wire(address, HEAD, b"Content-Length: 9000000\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 413 " in head.splitlines()[0]
    assert json.loads(body)["error"]["code"] == "request_too_large"
    assert not kept.exists()


def test_a_chunked_body_over_the_limit_is_refused_while_it_is_read(address: str, kept: Path) -> None:
    piece = b"%x\r\n" % 100_000 + b"x" * 100_000 + b"\r\n"
    start = b"%x\r\n" % len(PART) + PART + b"\r\n"
    answer = wire(address, HEAD, b"Transfer-Encoding: chunked\r\n\r\n", start, *[piece] * 30)
    assert b" 413 " in answer.splitlines()[0]
    assert b"request_too_large" in answer
    assert not kept.exists()
    assert httpx.get(f"{address}/health").status_code == 200


def test_a_client_that_hangs_up_leaves_nothing(address: str, kept: Path) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(HEAD + b"Content-Length: 1900000\r\n\r\n" + PART + b"x" * 1_200_000)
    assert httpx.get(f"{address}/health").status_code == 200
    assert not kept.exists()
