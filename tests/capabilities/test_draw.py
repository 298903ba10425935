"""A prompt is checked, made readable for its model, and drawn; requests at the same time do not mix."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest

from kuamo.capabilities.draw import draw, size_named
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, DrawRequest, DrawStep, Picture
from kuamo.errors import KuamoError
from kuamo.runtime import Models
from kuamo.settings import Settings
from openai_server import openai_server

DICTIONARY = {"雪地里的红车": '"A red car\n in the snow"', "模糊": "blurred", "沉默": "", "重复": "重复"}


class Dictionary:
    """Translates what it has."""

    device = "cpu"
    precision = "fp32"

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        """Load nothing."""
        return cls()

    def chat(self, request: ChatRequest) -> Iterator[str]:
        """Translate the last message, as the first asks."""
        assert "English" in request.messages[0].text
        yield DICTIONARY[request.messages[-1].text]


TRANSLATOR = {
    "name": "dictionary", "capabilities": ["chat"], "engine": "test_draw:Dictionary", "source": "package:pytest",
    "memory_mb": 1,
}  # fmt: skip


def row(name: str, folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name": name, "capabilities": ["draw"], "engine": "kuamo.engines.draw.diffusion:Diffusion",
        "source": str(folder), "memory_mb": 10, "profiles": ["nano"], "options": {"steps": 3}, **changes,
    }  # fmt: skip


@pytest.fixture
def house(checkpoint: Callable[[str], Path]) -> Iterator[Callable[..., Models]]:
    """Return a function from settings to Models: `english` and `both` draw for the profile, `dictionary` translates."""
    folder = checkpoint("stable_diffusion")
    rows = [row("english", folder, languages=["en"]), row("both", folder, languages=["zh", "en"]), TRANSLATOR]
    made: list[Models] = []

    def build(without: str = "", **settings: Any) -> Models:
        kept = [one for one in rows if one["name"] != without]
        made.append(Models(Catalogue.load(kept), Settings(**settings)))
        return made[-1]

    yield build
    for models in made:
        models.close()


def request(prompt: str = "a red car", **changes: Any) -> DrawRequest:
    return DrawRequest(**{"prompt": prompt, "width": 64, "height": 64, "steps": 2, "seed": 3, **changes})


def fault(attempt: Callable[[], Any]) -> KuamoError:
    with pytest.raises(KuamoError) as caught:
        attempt()
    return caught.value


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("", "text_empty"), (" \n\t", "text_empty"), ("\x00\x1b", "text_empty"), ("x" * 10_000, "text_too_long")],
)
def test_a_prompt_that_cannot_be_drawn_is_refused_before_anything_is_loaded(
    prompt: str, code: str, house: Callable[..., Models]
) -> None:
    models = house()
    assert fault(lambda: draw(request(prompt), models)).code == code
    assert models.loaded() == ()


def test_the_length_is_a_setting(house: Callable[..., Models]) -> None:
    models = house(limits={"prompt_characters": 8})
    assert "9 characters; the limit is 8" in str(fault(lambda: draw(request("a red car"), models)))
    assert fault(lambda: draw(request("a car", negative_prompt="x" * 9), models)).code == "text_too_long"


def test_control_characters_and_halves_of_characters_are_taken_out(house: Callable[..., Models]) -> None:
    models = house()
    drawing = draw(request("a\x00 red\x1b\n\n car\udc80", negative_prompt=" \n "), models).result()
    assert drawing.request.prompt == "a red car?"
    assert drawing.request.negative_prompt == ""
    assert drawing.original is None


def test_what_was_drawn_is_told_with_the_models_own_numbers(house: Callable[..., Models]) -> None:
    drawing = draw(DrawRequest(prompt="a red car", count=2), house()).result()
    told = drawing.request
    assert (told.width, told.height, told.steps, told.guidance) == (64, 64, 3, 7.5)
    assert told.seed is not None
    assert [picture.seed for picture in drawing.pictures] == [told.seed, told.seed + 1]
    assert [trace.model for trace in drawing.traces] == ["english"]
    assert drawing.original is None


def test_of_a_profile_the_first_model_that_reads_the_prompt_draws(house: Callable[..., Models]) -> None:
    models = house()
    drawing = draw(request("雪地里的红车"), models).result()
    assert (drawing.traces[0].model, drawing.request.prompt, drawing.original) == ("both", "雪地里的红车", None)
    assert draw(request(), models).result().traces[0].model == "english"


@pytest.mark.parametrize("asked", [{"prompt": "雪地里的红车"}, {"prompt": "a car", "negative_prompt": "模糊"}])
def test_a_prompt_that_the_model_does_not_read_is_refused_with_what_to_do(
    asked: dict[str, str], house: Callable[..., Models]
) -> None:
    models = house(without="both")
    error = fault(lambda: draw(request(**asked), models))
    assert error.code == "prompt_not_read"
    assert "english does not read prompts in the language 'zh'" in error.line("en")
    assert "KUAMO_TRANSLATOR" in error.line("en")
    assert "kuamo models pull z-image-turbo" in error.line("zh")
    assert models.loaded() == ()
    assert fault(lambda: draw(request(**asked, model="english"), house())).code == "prompt_not_read"
    assert fault(lambda: draw(request("une voiture", language="fr"), models)).code == "prompt_not_read"


def test_a_folder_of_which_nothing_is_known_gets_no_chinese(
    checkpoint: Callable[[str], Path], house: Callable[..., Models]
) -> None:
    models = house(models={"draw": str(checkpoint("sdxl"))})
    assert fault(lambda: draw(request("雪地里的红车"), models)).code == "prompt_not_read"
    assert draw(request(), models).result().pictures


def test_a_prompt_is_translated_where_a_model_is_set_for_it(house: Callable[..., Models]) -> None:
    models = house(without="both", translator="dictionary")
    drawing = draw(request("雪地里的红车", negative_prompt="模糊"), models).result()
    assert drawing.original == "雪地里的红车"
    assert (drawing.request.prompt, drawing.request.negative_prompt) == ("A red car in the snow", "blurred")
    assert [trace.capability for trace in drawing.traces] == ["chat", "chat", "draw"]
    plain = draw(request("A red car in the snow", negative_prompt="blurred"), models).result()
    assert plain.pictures[0].image.png() == drawing.pictures[0].image.png()
    assert (plain.original, len(plain.traces)) == (None, 1)


def test_what_needs_no_translation_gets_none(house: Callable[..., Models]) -> None:
    drawing = draw(request("雪地里的红车"), house(translator="dictionary")).result()
    assert (drawing.traces[0].model, drawing.original) == ("both", None)


@pytest.mark.parametrize("prompt", ["沉默", "重复"])
def test_a_translation_that_is_none_is_not_drawn(prompt: str, house: Callable[..., Models]) -> None:
    models = house(without="both", translator="dictionary")
    assert fault(lambda: draw(request(prompt), models)).code == "not_translated"


def test_two_users_at_once_get_what_each_would_get_alone(house: Callable[..., Models]) -> None:
    models = house()
    asked = [request(seed=seed, scheduler=one) for seed, one in [(1, None), (2, "euler-a"), (3, "ddim"), (1, "euler")]]

    def drawn(one: DrawRequest) -> bytes:
        return draw(one, models).result().pictures[0].image.png()

    alone = [drawn(one) for one in asked]
    with ThreadPoolExecutor(len(asked)) as pool:
        assert list(pool.map(drawn, asked)) == alone
    assert len(set(alone)) == len(alone)


@pytest.mark.parametrize("taken", [1, 2, 3, 4])
def test_closed_at_any_step_it_makes_room_for_the_next(taken: int, house: Callable[..., Models]) -> None:
    models = house()
    stream = draw(request(steps=4), models)
    assert all(isinstance(event, DrawStep) for _, event in zip(range(taken), stream, strict=False))
    stream.close()
    events = list(draw(request(), models))
    assert isinstance(events[-1], Picture)


def test_the_safety_checker_switched_off_is_logged(
    house: Callable[..., Models], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "kuamo"):
        assert draw(request(), house()).result().pictures
        assert not caplog.records
        models = house(safety_checker=False)
        assert draw(request(), models).result().pictures
    assert "english" in caplog.text
    assert "safety_checker" in caplog.text
    with models.lease("draw", request()) as lease:
        assert lease.engine._pipeline.safety_checker is None


def test_a_server_draws_with_its_own_numbers() -> None:
    with openai_server() as state:
        models = Models(Catalogue.load(), Settings(models={"draw": f"{state.url}#some"}, safety_checker=False))
        drawing = draw(DrawRequest(prompt="雪地里的红车"), models).result()
        models.close()
    assert (drawing.request.width, drawing.request.steps, drawing.pictures[0].seed) == (None, None, None)


@pytest.mark.parametrize(("text", "size"), [("768x512", (768, 512)), (" 8 × 16 ", (8, 16)), ("1*2", (1, 2))])
def test_a_size_is_read(text: str, size: tuple[int, int]) -> None:
    assert size_named(text) == size


@pytest.mark.parametrize("text", ["", "768", "x", "7x", "-8x8", "8x8x8", "8.5x9", "9" * 5000 + "x8", "abc"])
def test_what_is_no_size_is_refused(text: str) -> None:
    assert fault(lambda: size_named(text)).code == "not_a_size"
