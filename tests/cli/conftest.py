"""The command line, run in this process or, where streams and signals matter, as the program it is."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kuamo.cli.app import app

PROGRAM = Path(sys.executable).with_name("kuamo")
Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("KUAMO_LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("KUAMO_FOLDER", str(tmp_path / "kept"))


@pytest.fixture
def kuamo() -> Run:
    """Run the command line in this process: `kuamo("speak", "hi")` returns exit_code, stdout and stderr."""

    def run(*arguments: object, stdin: str | None = None) -> Any:
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(app, words, input=stdin, catch_exceptions=False, prog_name="kuamo")

    return run


@pytest.fixture
def program() -> Run:
    """Run the installed program: returns returncode, stdout and stderr, as text."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            env=os.environ | variables,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run
