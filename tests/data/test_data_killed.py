"""A build that is killed or stopped at any moment goes on, to the same bytes as one that was left alone."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from small_sets import lines, png, write

from kuamo.data.build import Plan, build

PROGRAM = Path(sys.executable).with_name("kuamo")
FORMS = ("datasets", "webdataset", "llava")
ROWS = 400


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{"image": f"{n}.png", "text": f"picture number {n}"} for n in range(ROWS)]
    files = {
        "a.jsonl": lines(*rows, {"image": "none.png", "text": "missing"}),
        **{f"{n}.png": png(n) for n in range(ROWS)},
    }
    return write(tmp_path_factory.mktemp("killed") / "source", files)


def start(source: Path, out: Path) -> subprocess.Popen[bytes]:
    forms = [word for form in FORMS for word in ("--format", form)]
    command = [PROGRAM, "data", "build", source, "--out", out, "--workers", "2", *forms]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def count(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


def content(out: Path) -> dict[str, bytes]:
    files = (file for file in out.rglob("*") if file.is_file() and file.name != "lock")
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def undisturbed(source: Path) -> dict[str, bytes]:
    """The files of a build that was left alone, also those for the next run; the folder is free again."""
    out = source.parent / "out"
    build(Plan(source=source, out=out, formats=FORMS), 2).result()
    made = content(out)
    out.rename(source.parent / "first")
    return made


@pytest.mark.parametrize("moment", range(3))
def test_a_killed_build_goes_on_to_the_same_bytes(source: Path, undisturbed: dict[str, bytes], moment: int) -> None:
    out = source.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    chosen = random.Random(moment)
    for sent in (signal.SIGKILL, signal.SIGINT):
        running = start(source, out)
        wanted = count(out) + chosen.randrange(1, len(undisturbed) // 2)
        while running.poll() is None and count(out) < wanted:
            time.sleep(0.001)
        family = _family(running.pid)
        running.send_signal(sent) if sent == signal.SIGKILL else _interrupt(running)
        assert running.wait() in (-signal.SIGKILL, 130, 0)
        assert not psutil.wait_procs(family, timeout=60)[1]
    build(Plan(source=source, out=out, formats=FORMS), 1).result()
    made = content(out)
    out.rename(source.parent / f"after {moment}")
    assert made == undisturbed


def _family(process: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(process)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:  # it was done before it could be killed
        return []


def _interrupt(running: subprocess.Popen[bytes]) -> None:
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGINT)
