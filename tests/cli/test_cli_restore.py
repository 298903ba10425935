"""`kuamo restore`: a picture goes in, a larger PNG comes out where --out says and nowhere else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

Run = Callable[..., Any]


@pytest.fixture
def sharpen(kuamo: Run, checkpoint: Callable[[str], Path]) -> Run:
    """Run `kuamo restore` with a small model of random weights."""
    PIL.Image.new("RGB", (20, 12), "teal").save("图 one.jpg")

    def run(*arguments: object) -> Any:
        return kuamo("restore", "图 one.jpg", *arguments, "--model", f"restore={checkpoint('swin2sr')}")

    return run


@pytest.mark.parametrize(("scale", "size"), [((), (40, 24)), (("--scale", "4"), (80, 48))])
def test_the_picture_is_written_so_many_times_as_large(
    scale: tuple[str, ...], size: tuple[int, int], sharpen: Run
) -> None:
    done = sharpen(*scale, "--out", "大.png")
    assert (done.exit_code, done.stdout) == (0, "大.png\n")
    with PIL.Image.open("大.png") as picture:
        assert (picture.format, picture.size) == ("PNG", size)


def test_as_json_it_says_how_large_and_by_what(sharpen: Run) -> None:
    shown = json.loads(sharpen("--out", "large.png", "--json").stdout)
    assert (shown["status"], shown["path"]) == ("success", "large.png")
    assert shown["image"] == {"width": 40, "height": 24}
    assert [trace["capability"] for trace in shown["traces"]] == ["restore"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--out", "large.bmp"), "large.bmp does not say what kind of file to write."),
        (("--out", "nowhere/large.png"), "nowhere/large.png"),
        (("--out", "large.png", "--scale", "1"), "it does not deblur"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_and_leaves_no_file(arguments: tuple[str, ...], told: str, sharpen: Run) -> None:
    before = sorted(Path().rglob("*.*"))
    done = sharpen(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert sorted(Path().rglob("*.*")) == before


def test_a_result_beyond_the_limit_is_refused(sharpen: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUAMO_LIMITS__MEGAPIXELS", "0.0005")
    done = sharpen("--out", "large.png")
    assert done.exit_code == 2
    assert "The result would have 40×24 px" in done.stderr
    assert not Path("large.png").exists()


@pytest.mark.parametrize("scale", ["0", "3", "-2", "nan", "100000"])
def test_other_scales_are_refused(scale: str, sharpen: Run) -> None:
    assert sharpen("--out", "large.png", "--scale", scale).exit_code == 2
    assert not Path("large.png").exists()
