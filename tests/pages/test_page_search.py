"""Search, in a real browser: by words and by a picture, and never outside the operator's folder."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import colours
from colours import paint
from kuamo.capabilities.search import index_folder
from kuamo.catalogue import Catalogue
from kuamo.runtime import Models
from kuamo.settings import Settings
from serving import served

pytestmark = pytest.mark.page
LABELS = {"en": ("Search", "Found by colours"), "zh": ("搜图", "搜索：colours")}
SHOTS = os.environ.get("KUAMO_TEST_SHOTS")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, one with a name that is HTML."""
    folder = tmp_path_factory.mktemp("pictures") / "private name"
    paint(folder / "红 <img src=x onerror=alert(1)>.png", "red", (300, 200))
    paint(folder / "a long name that does not fit below its picture on a phone.jpg", "blue", (200, 300))
    for number in range(6):
        paint(folder / "旅行" / f"green-{number}.png", (30 + 12 * number, 200, 40), (240, 240))
    paint(folder / "large.png", (20, 90, 230), (3000, 1000))
    return folder


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[str]:
    """The address of a studio whose operator offers the folder."""
    from kuamo.api.app import create_app
    from kuamo.ui.page import mount

    settings = Settings.read(model=(colours.ROW,), folder=tmp_path_factory.mktemp("kuamo"), search_folder=pictures)
    models = Models(Catalogue.load(settings.model), settings)
    index_folder(pictures, models).result()
    with served(mount(create_app(settings, models), settings, models)) as address:
        yield address
    models.close()


def open_search(visit: Any, language: str = "en", **context: Any) -> Any:
    """Open the page on its third tab."""
    page = visit(f"/{language}/", **context)
    page.get_by_role("tab", name=LABELS[language][0], exact=True).click()
    page.locator("#query textarea").wait_for()
    return page


def search(page: Any, words: str) -> None:
    """Type words and send them."""
    page.fill("#query textarea", words)
    page.press("#query textarea", "Enter")


def captions(page: Any) -> list[str]:
    """Wait for the pictures found; return what is written below them."""
    page.locator("#found .sources").wait_for()
    page.locator("#gallery .caption-label").first.wait_for()
    return [str(caption) for caption in page.locator("#gallery .caption-label").all_inner_texts()]


def look(page: Any, name: str) -> None:
    """Keep a picture of the page where KUAMO_TEST_SHOTS names a folder."""
    if SHOTS:
        page.wait_for_timeout(500)
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize(("language", "words"), [("en", "red"), ("zh", "红色")])
def test_words_find_pictures(visit: Any, language: str, words: str, width: int) -> None:
    page = open_search(visit, language, viewport={"width": width, "height": 812})
    search(page, words)
    shown = captions(page)
    assert shown[0] == "1.00 · 红 <img src=x onerror=alert(1)>.png"
    assert len(shown) == 9
    assert LABELS[language][1] in page.locator("#found").inner_text()
    page.wait_for_function("[...document.querySelectorAll('#gallery img')].every(image => image.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rights = page.locator("#gallery .gallery-item").evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")
    assert max(rights) <= width
    look(page, f"search-{language}-{width}")


def test_a_picture_finds_those_like_it_and_opens(visit: Any, tmp_path: Path) -> None:
    paint(tmp_path / "sea.png", "blue")
    page = open_search(visit)
    page.set_input_files("#like input[type=file]", tmp_path / "sea.png")
    assert captions(page)[0].startswith("1.00 · a long name")
    page.locator("#gallery .gallery-item button").nth(1).click()
    preview = page.locator("#gallery .preview")
    preview.wait_for()
    assert preview.bounding_box() == {"x": 0, "y": 0, **page.viewport_size}
    look(page, "search-open")
    page.keyboard.press("Escape")
    preview.wait_for(state="detached")
    search(page, "green")
    page.locator("#gallery .caption-label", has_text="green-0").wait_for()


def test_faults_are_one_clear_line_and_the_page_goes_on(visit: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not a picture")
    page = open_search(visit)
    search(page, "  ")
    page.locator("#found .notice", has_text="There is no text to work on.").wait_for()
    page.set_input_files("#like input[type=file]", tmp_path / "notes.png")
    page.locator("#found .notice", has_text="notes.png is not a picture that can be read.").wait_for()
    search(page, "red")
    assert len(captions(page)) == 9


def test_visitors_get_small_copies_and_nothing_else_of_the_folder(visit: Any, studio: str, pictures: Path) -> None:
    paint(pictures / "later.png", "blue")
    page = open_search(visit)
    search(page, "blue")
    names = captions(page)
    assert any("large.png" in name for name in names)
    assert not any("later.png" in name for name in names)
    sources = page.locator("#gallery img").evaluate_all("all => all.map(image => image.src)")
    assert not any("private" in source or "pictures" in source for source in sources)
    page.wait_for_function("[...document.querySelectorAll('#gallery img')].every(image => image.naturalWidth > 0)")
    sizes = page.locator("#gallery img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert max(sizes) == 640
    for file in (pictures / "large.png", pictures / "later.png", pictures / ".kuamo" / "index.lock"):
        answer = httpx.get(f"{studio}/en/gradio_api/file={file}")
        assert answer.status_code in (403, 404)


def test_what_only_the_operator_can_mend_is_in_the_log(
    visit: Any, pictures: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = open_search(visit, "zh")
    away = (pictures / ".kuamo").rename(pictures / ".away")
    try:
        with caplog.at_level(logging.WARNING):
            search(page, "red")
            page.locator("#found .notice", has_text="图片还不能搜索").wait_for()
    finally:
        away.rename(pictures / ".kuamo")
    assert "private name" not in page.locator("body").inner_text()
    assert re.search(r"not indexed yet. Index them: kuamo index '.*private name'", caplog.text)
