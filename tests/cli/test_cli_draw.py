"""`kuamo draw`: pictures with their settings, in a folder or a file."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from kuamo.capabilities.gallery import read_gallery, read_settings
from terminals import terminal

QUICK = ("--steps", "2", "--size", "64x64")


@pytest.fixture
def model(checkpoint: Callable[[str], Path]) -> tuple[str, str]:
    """Return the option that chooses the small Stable Diffusion."""
    return "--model", f"draw={checkpoint('stable_diffusion')}"


@pytest.fixture
def start() -> Path:
    """Return a picture file, a mask `mask.png` of its size beside it."""
    PIL.Image.linear_gradient("L").resize((64, 64)).convert("RGB").save("start.png")
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    PIL.Image.fromarray(mask).save("mask.png")
    return Path("start.png")


def test_pictures_go_to_a_folder_under_names_of_their_time(kuamo: Any, model: tuple[str, str]) -> None:
    done = kuamo("draw", "../a red car", *QUICK, "--count", 2, "--seed", 7, "-o", "new/pictures", *model)
    assert done.exit_code == 0
    newest, first = read_gallery(Path("new/pictures"), 10)
    assert done.stdout.splitlines() == [f"{first.path}  seed 7", f"{newest.path}  seed 8"]
    assert "car" not in newest.path.name
    assert (newest.settings["prompt"], newest.settings["seed"], newest.settings["steps"]) == ("../a red car", 8, 2)
    assert "stable_diffusion · " in done.stderr
    assert PIL.Image.open(first.path).size == (64, 64)


def test_a_named_file_is_written_and_json_tells_all(kuamo: Any, model: tuple[str, str]) -> None:
    done = kuamo("draw", "a red car", *QUICK, "--negative", "blurred", "--out", "car.png", "--json", *model)
    shown = json.loads(done.stdout)
    (file,) = shown["pictures"]
    assert (done.exit_code, shown["status"], file["path"]) == (0, "success", "car.png")
    assert shown["request"]["seed"] == file["seed"]
    assert (shown["request"]["guidance"], shown["request"]["image"]) == (7.5, None)
    assert (shown["original"], shown["traces"][0]["capability"]) == (None, "draw")
    assert read_settings(Path("car.png"))["negative_prompt"] == "blurred"
    again = kuamo("draw", "a red car", *QUICK, "--negative", "blurred", "--seed", file["seed"], "-o", "b.png", *model)
    assert again.exit_code == 0
    assert np.array_equal(PIL.Image.open("car.png"), PIL.Image.open("b.png"))


def test_several_pictures_of_a_named_file_are_numbered(kuamo: Any, model: tuple[str, str]) -> None:
    assert kuamo("draw", "a red car", *QUICK, "--count", 2, "--out", "car.png", *model).exit_code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["car-1.png", "car-2.png"]


def test_style_and_quality_are_shown_in_the_prompt(kuamo: Any, model: tuple[str, str]) -> None:
    style = ("--style", "油画", "--quality", "high")
    done = kuamo("draw", "a red car", *style, *QUICK, "-o", "a.png", *model)
    assert "Prompt: a red car, oil painting, high quality" in done.stderr
    assert read_settings(Path("a.png"))["prompt"] == "a red car, oil painting, high quality"


def test_a_picture_is_drawn_over_where_its_mask_is_white(kuamo: Any, model: tuple[str, str], start: Path) -> None:
    over = ("--image", start, "--mask", "mask.png", "--strength", "1", "--scheduler", "euler", "--steps", "2")
    assert kuamo("draw", "a red car", *over, "-o", "a.png", *model).exit_code == 0
    made, began = (np.asarray(PIL.Image.open(path)) for path in ("a.png", start))
    assert np.array_equal(made[:, :32], began[:, :32])
    assert not np.array_equal(made[:, 32:], began[:, 32:])
    settings = read_settings(Path("a.png"))
    assert (settings["from_image"], settings["from_mask"], settings["scheduler"]) == (True, True, "euler")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("",), "There is no text to work on."),
        (("x" * 10_000,), "10000 characters; the limit is 2000"),
        (("a", "--steps", "0"), "steps is 0; it must be from 1 to 500"),
        (("a", "--size", "7x9"), "width is 7; it must be from 8 to 2048"),
        (("a", "--size", "100000x100000"), "width is 100000; it must be"),
        (("a", "--size", "wide"), "wide is not a size."),
        (("a", "--width", "0"), "width is 0; it must be"),
        (("a", "--height", "100"), "height is 100; it must be a multiple of 8"),
        (("a", "--guidance", "nan"), "guidance is nan; it must be"),
        (("a", "--count", "5"), "count is 5; it must be from 1 to 4"),
        (("a", "--seed", "-1"), "seed is -1; it must be"),
        (("a", "--scheduler", "cubic"), "The scheduler 'cubic' is not known; it must be one of: dpm++, euler,"),
        (("a", "--scheduler", "lcm"), "does not draw with the scheduler 'lcm'"),
        (("a", "--style", "cubism"), "The style 'cubism' is not known; it must be one of: photo, oil,"),
        (("a", "--mask", "mask.png"), "A mask says where to draw over a picture, and there is no picture."),
        (("a", "--image", "absent.png"), "There is no file absent.png."),
        (("a", "--image", "mask.png", "--mask", "small.png"), "The mask has 8×8 px, its picture 64×64 px."),
        (("a", "-o", "a.jpg"), "a.jpg does not say what kind of file to write. End it in one of: .png."),
        (("a", "-o", "absent/a.png"), "absent/a.png cannot be written: No such file or directory."),
        (("a", "-o", "start.png/below"), "cannot be written"),
        (("雪地里的红车",), "does not read prompts in the language 'zh'. Write it in: en;"),
    ],
)
@pytest.mark.usefixtures("start")
def test_a_fault_is_one_line_and_leaves_no_file(
    arguments: tuple[str, ...], line: str, kuamo: Any, model: tuple[str, str]
) -> None:
    PIL.Image.new("RGB", (8, 8)).save("small.png")
    before = sorted(Path().iterdir())
    done = kuamo("draw", *arguments, *model)
    assert done.exit_code == 2
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(Path().iterdir()) == before


def test_a_model_that_is_not_there_says_how_to_get_it(kuamo: Any) -> None:
    done = kuamo("draw", "a red car", "--model", "draw=stable-diffusion-1.5")
    assert done.exit_code == 2
    assert "kuamo models pull stable-diffusion-v1-5/stable-diffusion-v1-5" in done.stderr


def test_ctrl_c_stops_it_and_leaves_no_file(model: tuple[str, str]) -> None:
    with terminal("draw", "a red car", "--steps", "500", "--size", "256x256", "-o", "pictures", *model) as kuamo:
        kuamo.until("Drawing")
        kuamo.until(" 1%")
        kuamo.run.send_signal(signal.SIGINT)
        assert "Traceback" not in kuamo.rest()
        assert kuamo.run.wait(60) == 130
    assert list(Path().iterdir()) == []


def test_on_a_terminal_its_progress_is_shown(model: tuple[str, str]) -> None:
    with terminal("draw", "a red car", *QUICK, "-o", "a.png", "--lang", "zh", "--seed", "5", *model) as kuamo:
        kuamo.until("正在绘制")
        kuamo.until("100%")
        assert "a.png  种子 5" in kuamo.rest()
        assert kuamo.run.wait(60) == 0
