"""`kuamo serve`: the page and the HTTP interface, from one command."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

PROGRAM = Path(sys.executable).with_name("kuamo")


def test_the_address_is_told_and_serves_the_page_until_ctrl_c(tmp_path: Path) -> None:
    arguments = [PROGRAM, "serve", "--port", "0", "--lang", "zh"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as run:
        assert run.stdout
        assert run.stderr
        line = run.stdout.readline()
        if not line.startswith("Kuamo 正在监听 http://127.0.0.1:"):
            raise AssertionError(line + run.stderr.read())
        address = line.split()[-1]
        assert urlopen(f"{address}/health").status == 200
        assert "跨模" in urlopen(f"{address}/zh/").read().decode()
        run.send_signal(signal.SIGINT)
        told = run.stderr.read()
    assert run.returncode == 0
    assert "Traceback" not in told


def test_a_port_in_use_is_told(program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = program("serve", "--port", taken.getsockname()[1])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
