"""What the README and the docs tell people to type works, and both languages say the same."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import PIL.Image
import pytest

from hub_server import hub
from kuamo.catalogue import Catalogue
from kuamo.world.sample import write_sample
from openai_server import openai_server

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PAGES = (
    "README.md",
    "README.zh-CN.md",
    "docs/models.md",
    "docs/data.md",
    "docs/architecture.md",
    "docs/performance.md",
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def fences(page: str, kind: str) -> list[str]:
    return [text for name, text in FENCE.findall((ROOT / page).read_text(encoding="utf-8")) if name == kind]


def commands(page: str) -> list[str]:
    """Every line that a reader may type: the lines of bash blocks, and those after a $ in console blocks."""
    typed = [line for text in fences(page, "bash") for line in text.splitlines()]
    shown = [line[2:] for text in fences(page, "console") for line in text.splitlines() if line.startswith("$ ")]
    return typed + shown


def environment(**variables: str) -> dict[str, str]:
    return os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1", **variables}


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(**variables), capture_output=True, text=True, check=False
    )


@pytest.fixture
def desk(tmp_path: Path, data: Path, checkpoint: Callable[[str], Path]) -> Path:
    """A folder with the files that the pages name."""
    shutil.copy(ROOT / "src/kuamo/ui/sample-zh.png", tmp_path / "phone.png")
    (tmp_path / "questions.txt").write_text("系统版本是多少？\n那型号呢？\nand the capacity?\n", encoding="utf-8")
    PIL.Image.new("RGB", (64, 48), "teal").save(tmp_path / "photo.jpg")
    list(write_sample(5, 1, tmp_path / "photos"))
    for name in ("meeting.m4a", "question.wav"):
        shutil.copy(data / "speech" / "jfk.flac", tmp_path / name)
    for name, family in (("my-llava", "llava"), ("my-diffusion", "stable_diffusion")):
        shutil.copytree(checkpoint(family), tmp_path / name)
    return tmp_path


def test_both_readmes_show_the_same_commands_and_pages() -> None:
    english, chinese = (ROOT / page for page in PAGES[:2])
    assert commands("README.md") == commands("README.zh-CN.md")
    assert len(commands("README.md")) > 8
    targets = re.compile(r"\]\(([^)]+)\)")
    by_language = [
        {re.sub(r"-(en|zh)\.png|README.*", "", target) for target in targets.findall(page.read_text(encoding="utf-8"))}
        for page in (english, chinese)
    ]
    assert by_language[0] == by_language[1]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()] == []


def test_the_commands_of_the_readme_work(desk: Path) -> None:
    said = {}
    for command in (line for text in fences("README.md", "bash") for line in text.splitlines()):
        if command.startswith("kuamo"):
            done = run(command, desk, KUAMO_LANGUAGE="en")
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            said[command] = done.stdout
    assert said['kuamo ask phone.png "系统版本是多少?"'].strip() == "17.4.1"
    assert said["kuamo ask phone.png < questions.txt"] == "17.4.1\n极光 12 Pro\n256 GB\n"
    assert "photos/" in said['kuamo find "橘猫" --in photos']
    assert {file.name for file in desk.iterdir()} >= {"hello.wav", "sunny.mp3", "reply.wav", "large.png", "set"}


@contextmanager
def running(command: str, folder: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server by a command; yield it and its address, and stop it as Ctrl-C does."""
    process = subprocess.Popen(
        command.split(), cwd=folder, env=environment(KUAMO_PORT="0", KUAMO_LANGUAGE="en", **variables),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if "http://" in line)
        yield process, re.findall(r"http://[\d.]+:\d+", line)[0]
    finally:
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
        assert "Traceback" not in rest, rest


def test_make_run_starts_the_studio_and_the_http_example_gets_its_answer(desk: Path) -> None:
    in_place = Path(sys.prefix) == ROOT / ".venv"
    command = fences("README.md", "bash")[0].strip() if in_place else "kuamo serve"
    with running(command, ROOT if in_place else desk, KUAMO_FOLDER=str(desk / "uploads")) as (_, address):
        (curl,) = [command for command in commands("README.md") if command.startswith("curl")]
        done = run(curl.replace("http://127.0.0.1:7860", address), desk)
        assert '"answer":"17.4.1"' in done.stdout, done.stdout + done.stderr
        with urlopen(f"{address}/zh") as page:
            assert "跨模" in page.read().decode()


def test_the_commands_about_models_work(desk: Path, checkpoint: Callable[[str], Path]) -> None:
    model = Catalogue.load().named("smolvlm-256m", "answer")
    folder = checkpoint("smolvlm")
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with hub(model.source, files, model.revision) as (address, _), openai_server() as server:
        variables = {"HF_ENDPOINT": address, "HF_HOME": str(desk / "hub"), "HF_HUB_DISABLE_XET": "1"}
        for command in commands("docs/models.md"):
            done = run(command.replace("http://127.0.0.1:11434/v1", server.url), desk, **variables)
            assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_the_commands_and_the_code_about_data_work(desk: Path) -> None:
    for command in commands("docs/data.md"):
        done = run(command, desk)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    (code,) = fences("docs/data.md", "python")
    done = run(f"kuamo data build photos --out set && {sys.executable} -c '{code}print(len(rows))'", desk)
    assert 0 < int(done.stdout.split()[-1]) <= 5 * 14, done.stderr


def test_the_settings_shown_are_settings(desk: Path) -> None:
    (text,) = fences("docs/models.md", "toml")
    (desk / "kuamo.toml").write_text(text.replace("/models/house-llava", str(desk / "my-llava")))
    assert tomllib.loads(text)["models"] == {"answer": "house-llava"}
    done = run('kuamo ask photo.jpg "What is it?" --model answer=house-llava --json', desk)
    assert '"model": "house-llava"' in done.stdout, done.stderr


def test_the_reference_is_what_the_code_says() -> None:
    done = run(f"{sys.executable} docs/reference.py --check", ROOT)
    assert done.returncode == 0, done.stderr
