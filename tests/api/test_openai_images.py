"""POST /v1/images/… with OpenAI's own client and a small random Stable Diffusion checkpoint."""

import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import PIL.Image
import pytest

from kuamo.api.app import create_app
from kuamo.catalogue import Catalogue
from kuamo.contracts import Request
from kuamo.runtime import Models
from kuamo.settings import Settings
from serving import served

DRAW = {"prompt": "a red car", "model": "gpt-image-1", "size": "64x64"}
FEW = {"steps": 3, "seed": 7}


@pytest.fixture(scope="module")
def models(checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    folder = str(checkpoint("stable_diffusion"))
    settings = Settings(folder=tmp_path_factory.mktemp("kept"), models={"draw": folder})
    yield (models := Models(Catalogue.load(), settings))
    models.close()


@pytest.fixture(scope="module")
def client(models: Models) -> Iterator[openai.OpenAI]:
    with served(create_app(models.settings, models)) as address:
        yield openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def draw(client: openai.OpenAI, **options: Any) -> Any:
    return client.images.generate(**{**DRAW, "extra_body": FEW, **options})


def edit(client: openai.OpenAI, **options: Any) -> Any:
    given = {"image": ("照片.png", png()), "prompt": "a blue car", "size": "64x64", "extra_body": FEW, **options}
    return client.images.edit(**given)


def refusal(call: Callable[[], Any]) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        call()
    assert 400 <= caught.value.status_code < 500
    return caught.value


def png(mode: str = "RGB", colour: Any = (200, 40, 40), side: int = 64) -> bytes:
    buffer = BytesIO()
    PIL.Image.new(mode, (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def half_clear() -> bytes:
    picture = PIL.Image.new("RGBA", (64, 64), "white")
    picture.paste((0, 0, 0, 0), (0, 0, 32, 64))
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def pixels(answer: Any, number: int = 0) -> Any:
    return np.asarray(PIL.Image.open(BytesIO(b64decode(answer.data[number].b64_json))), dtype=int)


# --- generations


def test_pictures_come_in_base64_with_their_seeds(client: openai.OpenAI) -> None:
    both = draw(client, n=2)
    assert (both.output_format, both.size, len(both.data)) == ("png", "64x64", 2)
    assert [picture.seed for picture in both.data] == [7, 8]
    assert pixels(both).shape == (64, 64, 3)
    alone = draw(client, extra_body={**FEW, "seed": 8})
    assert (pixels(alone) == pixels(both, 1)).all()
    assert (pixels(alone) != pixels(both, 0)).any()


def test_a_picture_is_kept_at_an_address_where_that_is_wanted(client: openai.OpenAI) -> None:
    for options in ({"model": "dall-e-3"}, {"response_format": "url"}):
        (picture,) = draw(client, **options).data
        assert picture.b64_json is None
        kept = httpx.get(picture.url)
        assert kept.headers["content-type"] == "image/png"
        shown = np.asarray(PIL.Image.open(BytesIO(kept.content)), dtype=int)
        assert (shown == pixels(draw(client))).all()


def test_what_is_said_beyond_openais_fields_matters(client: openai.OpenAI) -> None:
    plain = pixels(draw(client))
    for more in ({"negative_prompt": "blurred"}, {"guidance": 2}, {"steps": 4}, {"scheduler": "euler-a"}):
        assert (pixels(draw(client, extra_body={**FEW, **more})) != plain).any()


def test_partial_pictures_come_before_the_picture(client: openai.OpenAI, models: Models) -> None:
    events = list(draw(client, stream=True, partial_images=2, extra_body={**FEW, "steps": 9}))
    *partial, last = events
    assert last.type == "image_generation.completed"
    assert (last.size, last.seed) == ("64x64", 7)
    whole = draw(client, extra_body={**FEW, "steps": 9})
    assert last.b64_json == whole.data[0].b64_json
    assert [event.partial_image_index for event in partial] == list(range(len(partial)))
    assert len(partial) in (0, 2)  # none where the checkpoint's latents cannot be shown


def count_steps(models: Models) -> tuple[list[int], Any]:
    with models.lease("draw", Request()) as lease:
        steps: list[int] = []
        return steps, lease.engine._pipeline.unet.register_forward_hook(lambda *_: steps.append(1))


def wait_until_still(steps: list[int]) -> None:
    """Wait until no step has been taken for half a second."""
    deadline, before = time.monotonic() + 60, -1
    while before != len(steps):
        assert time.monotonic() < deadline
        before = len(steps)
        time.sleep(0.5)


def test_a_client_that_goes_stops_the_drawing(client: openai.OpenAI, models: Models) -> None:
    steps, hook = count_steps(models)
    with hook:
        with pytest.raises(openai.APITimeoutError):
            draw(client, timeout=1, extra_body={"steps": 500, "seed": 1}, n=4)
        wait_until_still(steps)
    assert 0 < len(steps) < 2_000


def test_a_client_that_leaves_a_stream_stops_the_drawing(client: openai.OpenAI, models: Models) -> None:
    steps, hook = count_steps(models)
    body = {**DRAW, "steps": 500, "n": 4, "stream": True}
    with hook:
        with httpx.stream("POST", f"{client.base_url}images/generations", json=body, timeout=60) as answer:
            assert next(answer.iter_lines()).startswith(": step 1 of ")
        wait_until_still(steps)
    assert 0 < len(steps) < 2_000


def test_health_answers_while_a_picture_is_drawn(client: openai.OpenAI) -> None:
    thread = threading.Thread(target=draw, args=(client,), kwargs={"extra_body": {"steps": 60, "seed": 1}})
    thread.start()
    answers = 0
    while thread.is_alive():
        assert httpx.get(f"{str(client.base_url).removesuffix('v1/')}health").status_code == 200
        answers += 1
    assert answers > 3


# --- edits


def test_a_picture_is_drawn_over(client: openai.OpenAI) -> None:
    little, much = (pixels(edit(client, extra_body={**FEW, "steps": 10, "strength": s})) for s in (0.1, 1))
    given = np.array([200, 40, 40])
    assert little.shape == (64, 64, 3)
    assert abs(little - given).mean() != abs(much - given).mean()


def test_only_where_the_mask_is_clear(client: openai.OpenAI) -> None:
    changed = pixels(edit(client, mask=("mask.png", half_clear())))
    kept = abs(changed[:, 40:] - np.array([200, 40, 40])).mean()
    drawn = abs(changed[:, :24] - np.array([200, 40, 40])).mean()
    assert kept < drawn


def test_an_edit_streams_too(client: openai.OpenAI) -> None:
    assert [event.type for event in edit(client, stream=True)][-1] == "image_edit.completed"


def test_an_edit_takes_a_list_of_one_picture(client: openai.OpenAI) -> None:
    one = [("a.png", png())]
    assert pixels(edit(client, image=one)).shape == (64, 64, 3)
    assert refusal(lambda: edit(client, image=one * 2)).code == "one_picture"


# --- what is refused


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"prompt": ""}, "field_wrong"),
        ({"size": "65x64"}, "not_a_multiple"),
        ({"size": "0x0"}, "out_of_range"),
        ({"size": "99999x64"}, "out_of_range"),
        ({"size": "big"}, "field_wrong"),
        ({"n": 0}, "out_of_range"),
        ({"n": 5}, "out_of_range"),
        ({"model": "nothing"}, "unknown_model"),
        ({"background": "transparent"}, "parameter_unsupported"),
        ({"output_format": "webp"}, "parameter_unsupported"),
        ({"response_format": "gif"}, "field_wrong"),
        ({"extra_body": {"steps": 0}}, "out_of_range"),
        ({"extra_body": {"guidance": 1e9}}, "out_of_range"),
        ({"extra_body": {"scheduler": "magic"}}, "field_wrong"),
        ({"extra_body": {"steps": "many"}}, "field_wrong"),
        ({"stream": True, "size": "65x64"}, "not_a_multiple"),
    ],
)
def test_odd_input_is_refused(client: openai.OpenAI, options: dict[str, Any], code: str) -> None:
    assert refusal(lambda: draw(client, **options)).code == code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"image": ("a.png", b"no picture")}, "not_an_image"),
        ({"image": ("a.png", b"")}, "file_empty"),
        ({"mask": ("m.png", b"no picture")}, "not_an_image"),
        ({"mask": ("m.png", png("L", 255, side=8))}, "mask_of_another_size"),
        ({"extra_body": {"strength": 0}}, "out_of_range"),
    ],
)
def test_odd_edits_are_refused(client: openai.OpenAI, options: dict[str, Any], code: str) -> None:
    assert refusal(lambda: edit(client, **options)).code == code


def test_an_edit_without_a_picture_is_refused(client: openai.OpenAI) -> None:
    answer = httpx.post(f"{client.base_url}images/edits", data={"prompt": "x"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "image")


def test_without_a_model_that_draws_the_command_that_gets_one_is_told(nano: openai.OpenAI) -> None:
    error = refusal(lambda: draw(nano))
    assert (error.status_code, error.code) == (404, "no_model")
    assert "kuamo models pull" in error.message
