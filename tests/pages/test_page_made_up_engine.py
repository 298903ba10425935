"""An engine added as one file and one row of kuamo.toml is there on the command line, over HTTP and on the page."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import PIL.Image
import pytest
from test_page_answer import ask

pytestmark = pytest.mark.page
KUAMO = Path(sys.executable).with_name("kuamo")
ENGINE = """
class Ruler:
    device = "cpu"
    precision = "exact"

    @classmethod
    def load(cls, source, *, device, precision, unit):
        ruler = cls()
        ruler.unit = unit
        return ruler

    def answer(self, request):
        message = request.messages[-1]
        yield f"{message.images[0].width}"
        yield f" by {message.images[0].height} {self.unit}"
"""
ROW = """
[[model]]
name = "ruler"
capabilities = ["answer"]
engine = "a_ruler:Ruler"
source = "package:a_ruler"
profiles = ["nano"]
options = { unit = "pixels" }
"""
QUESTION, ANSWER = "How large is it?", "60 by 40 pixels"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a_ruler.py").write_text(ENGINE)
    (tmp_path / "kuamo.toml").write_text(ROW)
    PIL.Image.new("RGB", (60, 40), "navy").save(tmp_path / "图.png")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("KUAMO_FOLDER", str(tmp_path / "kept"))
    monkeypatch.setenv("KUAMO_LANGUAGE", "en")
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    server = subprocess.Popen([KUAMO, "serve", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield re.findall(r"http://\S+", server.stdout.readline())[0]
    server.send_signal(signal.SIGINT)
    assert server.wait(30) == 0


def kuamo(folder: Path, *words: str) -> Any:
    done = subprocess.run([KUAMO, *words, "--json"], cwd=folder, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_command_line_uses_it(folder: Path) -> None:
    assert kuamo(folder, "ask", "图.png", QUESTION)["text"] == ANSWER
    assert "ruler" in [row["name"] for row in kuamo(folder, "models", "--profile", "nano")["models"]]


def test_http_and_the_page_use_it(folder: Path, address: str, browser: Any) -> None:
    with (folder / "图.png").open("rb") as picture:
        reply = httpx2.post(f"{address}/qa", data={"question": QUESTION}, files={"image": picture}, timeout=60).json()
    assert (reply["answer"], reply["traces"][-1]["model"]) == (ANSWER, "ruler")
    page = browser.new_context().new_page()
    page.goto(f"{address}/en/")
    assert ask(page, folder / "图.png", QUESTION) == ANSWER
    assert "ruler" in page.locator("#answered .sources").inner_text()
