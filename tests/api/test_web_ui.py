"""The routes under /sdapi/v1, as drawing clients call them."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from starlette.testclient import TestClient

from kuamo.api.app import create_app
from kuamo.catalogue import Catalogue
from kuamo.runtime import Models
from kuamo.settings import Settings

SMALL = {"prompt": "a red car", "width": 64, "height": 64, "steps": 3, "seed": 7}


@pytest.fixture(scope="module")
def folder(checkpoint: Callable[[str], Path]) -> str:
    return str(checkpoint("stable_diffusion"))


@pytest.fixture(scope="module")
def web(folder: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    row = {"name": "tiny", "capabilities": ["draw"], "engine": "kuamo.engines.draw.diffusion:Diffusion"}
    rows = ({**row, "source": folder, "profiles": ["nano"]},)
    settings = Settings(folder=tmp_path_factory.mktemp("kept"), model=rows)
    models = Models(Catalogue.load(rows), settings)
    with TestClient(create_app(settings, models), raise_server_exceptions=False) as client:
        yield client
    models.close()


def draw(web: TestClient, path: str = "txt2img", **options: Any) -> Any:
    answer = web.post(f"/sdapi/v1/{path}", json={**SMALL, **options})
    assert answer.status_code == 200, answer.text
    return answer.json()


def pixels(answer: Any, number: int = 0) -> Any:
    return np.asarray(PIL.Image.open(BytesIO(b64decode(answer["images"][number]))), dtype=int)


def picture(mode: str = "RGB", colour: Any = (200, 40, 40), side: int = 64) -> str:
    buffer = BytesIO()
    PIL.Image.new(mode, (side, side), colour).save(buffer, "PNG")
    return b64encode(buffer.getvalue()).decode()


def test_a_client_finds_the_model_and_draws(web: TestClient) -> None:
    """In the order in which Open WebUI asks."""
    assert web.get("/sdapi/v1/options").json() == {"sd_model_checkpoint": "tiny"}
    assert web.get("/sdapi/v1/sd-models").json()[0] == {"title": "tiny", "model_name": "tiny"}
    assert web.post("/sdapi/v1/options", json={"sd_model_checkpoint": "tiny"}).status_code == 200
    both = draw(
        web, batch_size=2, cfg_scale=7, sampler_name="Euler a", override_settings={"sd_model_checkpoint": "tiny"}
    )
    assert pixels(both, 1).shape == (64, 64, 3)
    assert json.loads(both["info"])["all_seeds"] == [7, 8]
    assert both["parameters"]["steps"] == 3


def test_each_sampler_that_is_listed_can_be_named(web: TestClient) -> None:
    names = [sampler["name"] for sampler in web.get("/sdapi/v1/samplers").json()]
    assert {"Euler", "Euler a", "DPM++ 2M"} <= set(names)
    assert (pixels(draw(web, sampler_name="Euler")) != pixels(draw(web, sampler_name="Euler a"))).any()
    assert pixels(draw(web, sampler_name="Automatic")).shape == (64, 64, 3)


def test_a_picture_is_drawn_over_where_the_mask_is_white(web: TestClient) -> None:
    whole = draw(web, "img2img", init_images=[picture()], denoising_strength=0.9)
    masked = draw(web, "img2img", init_images=[f"data:image/png;base64,{picture()}"], mask=picture("L", 0))
    given = np.array([200, 40, 40])
    assert abs(pixels(masked) - given).mean() < abs(pixels(whole) - given).mean()
    assert "init_images" not in masked["parameters"]


def test_without_a_seed_one_is_drawn(web: TestClient) -> None:
    seeds = {json.loads(draw(web, seed=-1)["info"])["seed"] for _ in range(2)}
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("path", "options", "code"),
    [
        ("txt2img", {"width": 65}, "not_a_multiple"),
        ("txt2img", {"steps": 10**9}, "out_of_range"),
        ("txt2img", {"batch_size": 3, "n_iter": 3}, "out_of_range"),
        ("txt2img", {"batch_size": 0}, "field_wrong"),
        ("txt2img", {"override_settings": {"sd_model_checkpoint": "nothing"}}, "unknown_model"),
        ("img2img", {}, "field_missing"),
        ("img2img", {"init_images": []}, "field_wrong"),
        ("img2img", {"init_images": ["%%%"]}, "base64_broken"),
        ("img2img", {"init_images": ["aGVsbG8="]}, "not_an_image"),
        ("img2img", {"init_images": ["http://example.com/a.png"]}, "base64_broken"),
        ("options", {"sd_model_checkpoint": "other"}, "parameter_unsupported"),
    ],
)
def test_odd_input_is_refused(web: TestClient, path: str, options: dict[str, Any], code: str) -> None:
    answer = web.post(f"/sdapi/v1/{path}", json={**SMALL, **options})
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == code
