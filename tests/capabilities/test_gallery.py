"""Pictures are kept with their settings, and found again by them."""

from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.capabilities.gallery import Entry, as_png, read_gallery, read_settings, save_picture
from kuamo.contracts import DrawRequest, Picture, Trace
from kuamo.errors import KuamoError
from kuamo.media.image import Image

TRACE = Trace("draw", "some-model", "weights:some", "1", "cpu", "fp32", 1.5)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=400)


def picture(seed: int = 3, width: int = 24, height: int = 16) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Picture(Image(pixels), seed)


def request(**changes: object) -> DrawRequest:
    return DrawRequest(**{"prompt": "雪地里的红车", "steps": 9, "guidance": 7.5, "scheduler": "euler-a", **changes})  # type: ignore[arg-type]


def test_a_picture_is_kept_pixel_by_pixel_with_what_makes_it_again(tmp_path: Path) -> None:
    drawn = picture()
    path = save_picture(drawn, request(negative_prompt="blurred"), (TRACE,), tmp_path / "new" / "folder")
    assert np.array_equal(np.asarray(PIL.Image.open(path)), drawn.image.pixels)
    (entry,) = read_gallery(path.parent, 10)
    assert entry == Entry(path, read_settings(path))
    expected = {
        "prompt": "雪地里的红车", "negative_prompt": "blurred", "width": 24, "height": 16, "steps": 9,
        "guidance": 7.5, "scheduler": "euler-a", "seed": 3, "model": "some-model", "from_image": False,
        "original": None,
    }  # fmt: skip
    assert {name: entry.settings[name] for name in expected} == expected
    assert entry.settings["traces"][0]["source"] == "weights:some"


def test_image_tools_find_the_settings_in_the_form_they_know(tmp_path: Path) -> None:
    start = picture().image
    asked = request(prompt="a red car", negative_prompt="blurred", image=start, strength=0.5)
    path = save_picture(picture(), asked, (TRACE,), tmp_path, original="红车")
    prompt, negative, line = PIL.Image.open(path).info["parameters"].split("\n")
    assert (prompt, negative) == ("a red car", "Negative prompt: blurred")
    assert line.startswith("Steps: 9, Sampler: Euler a, CFG scale: 7.5, Seed: 3, Size: 24x16, Model: some-model, ")
    assert "Denoising strength: 0.5" in line
    assert read_settings(path)["original"] == "红车"


@given(TEXT, TEXT)
def test_any_prompt_is_read_back_as_it_was(prompt: str, negative: str) -> None:
    data = as_png(picture(), request(prompt=prompt, negative_prompt=negative), ())
    settings = read_settings(BytesIO(data))
    assert (settings["prompt"], settings["negative_prompt"], settings["model"]) == (prompt, negative, None)


def test_the_newest_come_first_and_names_say_nothing_of_the_prompt(tmp_path: Path) -> None:
    paths = [save_picture(picture(seed), request(prompt="../secret/../"), (TRACE,), tmp_path) for seed in range(5)]
    assert [entry.path for entry in read_gallery(tmp_path, 3)] == paths[:1:-1]
    assert all(path.parent == tmp_path and "secret" not in path.name for path in paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_what_is_not_a_drawing_of_ours_is_left_out(tmp_path: Path) -> None:
    path = save_picture(picture(), request(), (TRACE,), tmp_path)
    picture().image.pil().save(tmp_path / "foreign.png")
    (tmp_path / "cut.png").write_bytes(path.read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    odd = path.read_bytes().replace(b'{"prompt"', b'["prompt"')
    (tmp_path / "odd.png").write_bytes(odd)
    assert [entry.path for entry in read_gallery(tmp_path, 10)] == [path]
    assert read_gallery(tmp_path / "nowhere", 10) == []


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KuamoError) as caught:
        save_picture(picture(), request(), (TRACE,), tmp_path / "file" / "below")
    assert caught.value.code == "cannot_write"
