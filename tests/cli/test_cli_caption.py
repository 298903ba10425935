"""`kuamo caption`: each picture on a line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from openai_server import openai_server

Run = Callable[..., Any]


@pytest.fixture
def pictures() -> tuple[Path, ...]:
    """Two pictures."""
    files = Path("图 one.png"), Path("two.jpg")
    for file, colour in zip(files, ("teal", "orange"), strict=True):
        PIL.Image.new("RGB", (64, 48), colour).save(file)
    return files


@pytest.fixture
def describe(kuamo: Run) -> Run:
    """Run `kuamo caption` with a model that says back what it is shown and asked."""

    def run(*arguments: object) -> Any:
        with openai_server() as server:
            return kuamo("caption", *arguments, "--model", f"answer={server.url}#echo")

    return run


@pytest.mark.parametrize(
    ("options", "caption"),
    [
        ((), "Describe the picture."), (("--lang", "zh"), "描述一下这张图片。"),
        (("--language", "zh"), "描述一下这张图片。"), (("--lang", "zh", "--language", "en"), "Describe the picture."),
    ],
)  # fmt: skip
def test_each_picture_is_a_line(
    options: tuple[str, ...], caption: str, pictures: tuple[Path, ...], describe: Run
) -> None:
    done = describe(*pictures, *options)
    assert (done.exit_code, done.stdout) == (0, f"图 one.png\tPNG:64x48 {caption}\ntwo.jpg\tPNG:64x48 {caption}\n")
    assert "echo" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_file_is_named_and_the_others_go_on(pictures: tuple[Path, ...], describe: Run) -> None:
    Path("notes.png").write_text("not a picture")
    done = describe(pictures[0], "notes.png", "absent.png", pictures[1])
    assert (done.exit_code, len(done.stdout.splitlines())) == (2, 2)
    assert "notes.png is not a picture that can be read." in done.stderr
    assert "There is no file absent.png." in done.stderr
    shown = json.loads(describe("notes.png", pictures[1], "--json").stdout)
    assert shown["status"] == "partial"
    bad, good = shown["captions"]
    assert (bad["path"], bad["error"]["code"]) == ("notes.png", "not_an_image")
    assert (good["path"], good["text"]) == ("two.jpg", "PNG:64x48 Describe the picture.")
    assert [trace["capability"] for trace in good["traces"]] == ["answer"]


def test_a_checkpoint_describes_pictures(
    pictures: tuple[Path, ...], kuamo: Run, checkpoint: Callable[[str], Path]
) -> None:
    done = kuamo("caption", *pictures, "--model", f"answer={checkpoint('llava')}", "--json")
    shown = json.loads(done.stdout)
    assert (done.exit_code, shown["status"]) == (0, "success")
    first, second = (row["text"] for row in shown["captions"])
    assert first
    assert first != second


def test_what_a_model_lacks_is_told_once(pictures: tuple[Path, ...], kuamo: Run) -> None:
    done = kuamo("caption", *pictures, "--model", "answer=nobody")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("There is no model nobody for 'answer'.")
