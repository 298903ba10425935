"""nano-llava, as shipped, sees scenes of the small world that its training did not hold, and knows its limits."""

from pathlib import Path
from random import Random

import pytest

from kuamo.capabilities.answer import answer
from kuamo.capabilities.familiar import is_familiar
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Message, Sampling
from kuamo.evaluation import normalised
from kuamo.media.image import Image, from_pil, read_image
from kuamo.media.limits import Limits
from kuamo.messages import Language
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.language import questions
from kuamo.world.picture import render
from kuamo.world.scene import make_scene
from sunflowers import FIELD, TURNS

SURE = Sampling(temperature=0)


@pytest.fixture(scope="module")
def models() -> Models:
    """The models of the box."""
    return Models(Catalogue.load(), Settings())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sunflower_field_by_day_in_three_turns(models: Models, language: Language) -> None:
    turns: list[Message] = []
    for question, truth in TURNS[language]:
        turns.append(Message("user", question, () if turns else (from_pil(render(FIELD)),)))
        said = answer(ChatRequest(messages=tuple(turns), sampling=SURE, model="nano-llava"), models).result().text
        assert normalised(said) == normalised(truth)
        turns.append(Message("assistant", said))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_answers_what_is_asked_of_scenes_it_never_saw(models: Models, language: Language) -> None:
    right = []
    for index in range(1_900, 1_910):
        scene = make_scene(index, "held_out")
        picture = from_pil(render(scene))
        for asked in questions(scene, language, Random(index), 5):
            turns = (Message("user", asked.question, (picture,)),)
            said = answer(ChatRequest(messages=turns, sampling=SURE, model="nano-llava"), models).result().text
            right.append(normalised(said) == normalised(asked.answer))
    assert sum(right) / len(right) >= 0.9


def test_it_knows_its_own_pictures_at_any_size(models: Models) -> None:
    row = models.catalogue.named("nano-llava", "answer")
    own = [from_pil(render(make_scene(index, "held_out"), side)) for index in range(40) for side in (64, 200)]
    assert sum(is_familiar(image, row) for image in own) / len(own) >= 0.95


def test_it_says_that_photographs_and_screenshots_are_not_of_its_world(models: Models, data: Path) -> None:
    row = models.catalogue.named("nano-llava", "answer")
    for file in sorted((data / "images").iterdir()):
        assert not is_familiar(read_image(file, Limits()), row), file.name
    photograph = read_image(data / "images" / "lion.jpg", Limits())
    said = _asked(photograph, "What is in the picture?", models)
    assert "kuamo models pull" in said
    assert "kuamo models pull" in _asked(photograph, "图里有什么？", models)


def _asked(image: Image, question: str, models: Models) -> str:
    return answer(ChatRequest(messages=(Message("user", question, (image,)),)), models).result().text
