import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from kuamo.contracts import RestoreRequest, RestoreStep
from kuamo.engines.restore import swin2sr
from kuamo.engines.restore.swin2sr import Swin2Sr
from kuamo.errors import KuamoError
from kuamo.media.image import Image


@pytest.fixture(scope="module")
def folder(checkpoint: Callable[[str], Path]) -> Path:
    return checkpoint("swin2sr")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Swin2Sr:
    return Swin2Sr.load(str(folder), device="cpu", precision="fp32", deblurs=True)


@pytest.fixture(scope="module")
def fourfold(checkpoint: Callable[[str], Path]) -> Swin2Sr:
    return Swin2Sr.load(str(checkpoint("swin2sr_x4")), device="cpu", precision="fp32", deblurs=True)


def picture(width: int, height: int) -> Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
    return Image(pixels.repeat(4, 0).repeat(4, 1)[:height, :width].copy())


def run(engine: Swin2Sr, image: Image, scale: int) -> tuple[Image, list[RestoreStep]]:
    steps = []
    generator = engine.restore(RestoreRequest(image=image, scale=scale))
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            return end.value, steps


@pytest.mark.parametrize("name", ["engine", "fourfold"])
@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 9), (64, 64), (131, 5)])
def test_every_size_comes_back_as_many_times_as_large(
    name: str, scale: int, width: int, height: int, request: pytest.FixtureRequest
) -> None:
    image = picture(width, height)
    before = image.pixels.copy()
    made, steps = run(request.getfixturevalue(name), image, scale)
    assert (made.width, made.height) == (width * scale, height * scale)
    assert [step.step for step in steps] == list(range(1, steps[0].steps + 1))
    assert (image.pixels == before).all()


def test_in_one_tile_it_is_what_the_model_itself_says(engine: Swin2Sr) -> None:
    image = picture(64, 48)
    made, _ = run(engine, image, 2)
    around = np.pad(image.pixels, ((16, 16), (16, 16), (0, 0)), "symmetric")
    with torch.inference_mode():
        plain = engine._model(torch.from_numpy(around).permute(2, 0, 1)[None].float() / 255).reconstruction
    expected = (plain[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()[32:-32, 32:-32]
    assert np.abs(made.pixels.astype(int) - expected).max() <= 1
    assert made.pixels.std() > 10


def test_tiles_show_no_seam(engine: Swin2Sr, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(96, 70)
    whole, one = run(engine, image, 2)
    monkeypatch.setattr(swin2sr, "TILE", 32)
    tiled, many = run(engine, image, 2)
    assert (one[-1].steps, many[-1].steps) == (1, 9)
    off = np.abs(tiled.pixels.astype(int) - whole.pixels)
    assert off.mean() < 0.5
    monkeypatch.setattr(swin2sr, "OVERLAP", 1)
    apart, _ = run(engine, image, 2)
    assert np.abs(apart.pixels.astype(int) - whole.pixels).mean() > 2 * off.mean()


def test_a_large_picture_is_never_seen_whole(engine: Swin2Sr, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    monkeypatch.setattr(swin2sr, "TILE", 16)
    forward = engine._model.forward

    def watched(pixel_values: torch.Tensor) -> object:
        seen.append(pixel_values.shape)
        return forward(pixel_values)

    monkeypatch.setattr(engine._model, "forward", watched)
    _, steps = run(engine, picture(40, 24), 4)
    assert len(seen) == steps[-1].steps == 6 + 15
    assert max(max(shape) for shape in seen) == 16 + 2 * swin2sr.OVERLAP


def test_what_is_more_than_asked_for_is_averaged_by_area(engine: Swin2Sr) -> None:
    image = picture(24, 16)
    twice, _ = run(engine, image, 2)
    same, _ = run(engine, image, 1)
    averaged = twice.pixels.reshape(16, 2, 24, 2, 3).mean((1, 3))
    assert np.abs(averaged - same.pixels).max() <= 1


def test_a_model_that_only_enlarges_does_not_pretend_to_deblur(folder: Path) -> None:
    engine = Swin2Sr.load(str(folder), device="cpu", precision="fp32")
    assert run(engine, picture(16, 16), 2)[0].width == 32
    with pytest.raises(KuamoError) as caught:
        run(engine, picture(16, 16), 1)
    assert caught.value.code == "does_not_deblur"


@pytest.mark.parametrize(("asked", "told"), [("bf16", "bf16"), ("nf4", "fp32")])
def test_precision_changes_little(folder: Path, engine: Swin2Sr, asked: str, told: str) -> None:
    image = picture(32, 32)
    exact, _ = run(engine, image, 2)
    other = Swin2Sr.load(str(folder), device="cpu", precision=asked)
    assert other.precision == told
    made, _ = run(other, image, 2)
    assert np.abs(made.pixels.astype(int) - exact.pixels).mean() < 0.2 * exact.pixels.std()


@pytest.mark.parametrize("changes", [{"upscale": 3}, {"upscale": 1, "upsampler": ""}])
def test_a_model_that_does_not_enlarge_so_is_refused(folder: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

    config = json.loads((folder / "config.json").read_text())
    Swin2SRForImageSuperResolution(Swin2SRConfig(**{**config, **changes})).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text((folder / "preprocessor_config.json").read_text())
    with pytest.raises(KuamoError) as caught:
        Swin2Sr.load(str(tmp_path), device="cpu", precision="fp32")
    assert caught.value.code == "model_unsupported"


def test_missing_weights_are_not_made_up(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text((folder / name).read_text())
    weights = load_file(folder / "model.safetensors")
    weights.pop("swin2sr.first_convolution.weight")
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(KuamoError) as caught:
        Swin2Sr.load(str(tmp_path), device="cpu", precision="fp32")
    assert caught.value.code == "model_unsupported"
