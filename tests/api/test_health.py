"""GET /health, the page of the interface, and the manners of every answer."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kuamo import __version__
from serving import served


def test_health_tells_the_version_and_what_is_loaded(client: TestClient, png: bytes) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": __version__, "loaded": []}
    client.post("/qa", data={"question": "How large?"}, files={"image": png})
    assert "measurer" in client.get("/health").json()["loaded"]


def test_the_page_of_the_interface_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    scripts = [part.split('"')[0] for part in page.replace("src=", "href=").split('href="')[1:]]
    assert len(scripts) >= 3
    assert all(client.get(path).status_code == 200 for path in scripts)
    assert {"/qa", "/health", "/uploads/{name}"} <= client.get("/openapi.json").json()["paths"].keys()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nothing", 404, "no_such_address"), ("GET", "/qa", 405, "wrong_method")],
)
def test_a_wrong_address_gets_the_one_shape(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    answer = client.request(method, path, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert answer.json()["error"]["code"] == code
    assert "地址" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/health", "/nothing", "/docs", "/uploads/x"])
def test_every_answer_is_safe_for_a_browser(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_a_real_server_answers(app: FastAPI) -> None:
    with served(app) as address:
        assert httpx.get(f"{address}/health").json()["status"] == "ok"
