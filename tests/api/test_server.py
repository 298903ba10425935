"""The server process: where it listens and how it ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from kuamo.api.server import serve
from kuamo.errors import KuamoError
from kuamo.settings import Settings

TESTS = Path(__file__).parents[1]
PROGRAM = """
import sys
import made_up
from kuamo.api import app, server
from kuamo.catalogue import Catalogue
from kuamo.runtime import Models
from kuamo.settings import Settings

server.GRACE_SECONDS = 0.2
settings = Settings(folder=sys.argv[1], port=0)
models = Models(Catalogue.load(made_up.rows()), settings)
server.serve(app.create_app(settings, models), settings, lambda url: print(url, flush=True))
"""


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(KuamoError) as caught:
        serve(FastAPI(), Settings(port=taken.getsockname()[1]), print)
    assert caught.value.code == "port_in_use"


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(KuamoError) as caught:
        serve(FastAPI(), Settings(host="203.0.113.1", port=0), print)
    assert caught.value.code == "cannot_listen"


@pytest.mark.parametrize("at_work", [False, True])
def test_ctrl_c_ends_it_without_a_word_even_while_a_model_works(tmp_path: Path, png: bytes, at_work: bool) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert httpx.get(f"{address}/health", timeout=20).status_code == 200
    if at_work:
        form = {"question": "How large?", "model": "waiter"}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{address}/qa", data=form, files={"image": png}, timeout=1)
    process.send_signal(signal.SIGINT)
    rest, told = process.communicate(timeout=20)
    assert (process.returncode, rest, told) == (0, "", "")
