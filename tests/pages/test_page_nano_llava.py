"""The page as a clean install has it: nano-llava is asked about a field of sunflowers, and about a photograph."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_page_answer import answered, ask, send

from kuamo.catalogue import Catalogue
from kuamo.messages import Language
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.picture import render
from serving import served
from sunflowers import FIELD, TURNS

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a studio with nothing but what is in the box."""
    from kuamo.api.app import create_app
    from kuamo.ui.page import mount

    settings = Settings.read(folder=tmp_path_factory.mktemp("clean"))
    models = Models(Catalogue.load(), settings)
    with served(mount(create_app(settings, models), settings, models)) as address:
        yield address
    models.close()


def opened(browser: Any, address: str) -> Any:
    """Return the page as a new visitor sees it."""
    page = browser.new_context().new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_role("tab").first.wait_for()
    return page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_field_of_sunflowers_in_three_turns(clean: str, browser: Any, tmp_path: Path, language: Language) -> None:
    render(FIELD, 256).save(tmp_path / "向日葵.png")
    page = opened(browser, f"{clean}/{language}/")
    (first, truth), *others = TURNS[language]
    assert ask(page, tmp_path / "向日葵.png", first) == truth
    for turn, (question, truth) in enumerate(others, 2):
        send(page, question)
        assert answered(page, turn) == truth
    assert "nano-llava" in page.locator("#answered").inner_text()


def test_of_a_photograph_it_says_what_to_do(clean: str, browser: Any, data: Path) -> None:
    page = opened(browser, f"{clean}/zh/")
    assert "kuamo models pull" in ask(page, data / "images" / "lion.jpg", "图里有什么？")
