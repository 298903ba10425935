"""Draw, in a real browser with a small Stable Diffusion: what it draws is noise, all else is real."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from kuamo.capabilities.gallery import read_gallery, read_settings
from kuamo.catalogue import Catalogue
from kuamo.runtime import Models
from kuamo.settings import Settings
from serving import served

pytestmark = pytest.mark.page
LABELS = {
    "en": ("Draw", "a red car", "Oil painting", "a red car, oil painting", "Drawn by tiny-draw", "Seed"),
    "zh": ("画图", "红车", "油画", "红车，油画", "绘制：tiny-draw", "种子"),
}
TIMEOUT = 60_000


@contextmanager
def studio_of(folder: Path, *models: dict[str, Any], **changes: Any) -> Iterator[str]:
    """Serve a studio whose pictures are kept in a folder."""
    from kuamo.api.app import create_app
    from kuamo.ui.page import mount

    settings = Settings.read(model=models, folder=folder, **changes)
    running = Models(Catalogue.load(settings.model), settings)
    with served(mount(create_app(settings, running), settings, running)) as address:
        yield address
    running.close()


@pytest.fixture(scope="module")
def row(checkpoint: Callable[[str], Path]) -> dict[str, Any]:
    """A row for the small Stable Diffusion."""
    return {
        "name": "tiny-draw", "capabilities": ["draw"], "engine": "kuamo.engines.draw.diffusion:Diffusion",
        "source": str(checkpoint("stable_diffusion")), "profiles": ["nano"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def sharpener(checkpoint: Callable[[str], Path]) -> dict[str, Any]:
    """A row for the small Swin2SR."""
    return {
        "name": "tiny-sharp", "capabilities": ["restore"], "engine": "kuamo.engines.restore.swin2sr:Swin2Sr",
        "source": str(checkpoint("swin2sr")), "profiles": ["nano"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the studio keeps its files."""
    return tmp_path_factory.mktemp("kuamo")


@pytest.fixture(scope="module")
def studio(folder: Path, row: dict[str, Any], sharpener: dict[str, Any]) -> Iterator[str]:
    """The address of a studio that draws."""
    with studio_of(folder, row, sharpener) as address:
        yield address


@pytest.fixture(autouse=True)
def emptied(folder: Path) -> None:
    """Begin each test without pictures."""
    for path in (folder / "drawings").glob("*.png"):
        path.unlink()


def begin(visit: Any, language: str = "en", **context: Any) -> Any:
    """Open the page on its second tab."""
    page = visit(f"/{language}/", **context)
    page.get_by_role("tab", name=LABELS[language][0], exact=True).click()
    page.locator("#prompt textarea").wait_for()
    return page


def unfold(page: Any, fold: int = 0, **settings: object) -> None:
    """Unfold the settings (0) or the start picture (1); fill fields by their ids."""
    page.locator(".fold > button").nth(fold).click()
    for name, value in settings.items():
        box = page.locator(f"#{name} :is(input, textarea)").first
        box.fill(str(value))
        box.press("Tab")


def send(page: Any, prompt: str) -> None:
    """Write a prompt and send it."""
    page.fill("#prompt textarea", prompt)
    page.get_by_role("button", name="Draw", exact=True).click()


def finished(page: Any) -> str:
    """Wait for the end of the first drawing; return what is told of it."""
    page.locator("#drawn .sources").wait_for()
    page.locator("#prompt .submit-button").wait_for()
    return str(page.locator("#drawn").inner_text())


def refused(page: Any, line: str) -> None:
    """Wait for a notice; it is one line, and the page is ready again."""
    notice = page.locator("#drawn .notice", has_text=line)
    notice.wait_for()
    assert len(notice.inner_text().splitlines()) == 1
    page.locator("#prompt .submit-button").wait_for()


def on_canvas(page: Any) -> None:
    """Wait until the editor has the picture on its canvas."""
    page.locator("#start canvas").first.wait_for()
    page.get_by_text("Paint over what is to be drawn anew").wait_for(state="hidden")
    page.wait_for_timeout(1000)


def pixels(file: Path) -> Any:
    return np.asarray(PIL.Image.open(file))


def kept(folder: Path) -> list[Path]:
    """Return the pictures of a folder, the newest first."""
    return [entry.path for entry in read_gallery(folder / "drawings", 10)]


def wait_until_idle() -> None:
    """Wait until no thread draws for a page."""
    while any(thread.name.startswith("page") for thread in threading.enumerate()):
        time.sleep(0.05)


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 390)])
def test_a_picture_appears_step_by_step_with_its_seed_and_source(
    visit: Any, folder: Path, language: str, width: int
) -> None:
    _, prompt, style, enriched, source, seed = LABELS[language]
    page = begin(visit, language, viewport={"width": width, "height": 844})
    page.fill("#prompt textarea", prompt)
    page.get_by_role("radio", name=style).check()
    page.wait_for_function("words => document.querySelector('#prompt textarea').value == words", arg=enriched)
    page.press("#prompt textarea", "Enter")
    page.locator("#drawn progress").wait_for()
    page.locator("#canvas img").wait_for()
    told = finished(page)
    (file,) = kept(folder)
    settings = read_settings(file)
    assert settings["prompt"] == enriched
    assert f"{seed} {settings['seed']}" in told
    assert source in told
    assert page.locator("#drawings .caption-label").inner_text() == f"{seed} {settings['seed']}"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#canvas img").get_attribute("alt") == enriched


def test_an_improved_prompt_is_shown_before_it_is_used(visit: Any, folder: Path) -> None:
    page = begin(visit)
    page.fill("#prompt textarea", "a red car")
    page.click("#improve")
    page.wait_for_function("document.querySelector('#prompt textarea').value.endsWith('masterpiece')")
    assert not kept(folder)
    page.click("#idea")
    page.wait_for_function("!document.querySelector('#prompt textarea').value.includes('red car')")


def test_the_same_seed_draws_the_same_picture_and_settings_are_used_again(visit: Any, folder: Path) -> None:
    page = begin(visit)
    unfold(page, steps=3, guidance=2.5, size="64 × 80")
    page.get_by_role("radio", name="2", exact=True).check()
    send(page, "a red car")
    finished(page)
    second, first = kept(folder)
    assert read_settings(second)["seed"] == read_settings(first)["seed"] + 1
    assert not np.array_equal(pixels(first), pixels(second))
    page.get_by_role("radio", name="1", exact=True).check()
    page.get_by_role("button", name="Again with this seed").click()
    page.locator("#drawings .gallery-item").nth(2).wait_for()
    assert np.array_equal(pixels(kept(folder)[0]), pixels(second))
    page.reload()
    page.get_by_role("tab", name="Draw", exact=True).click()
    page.locator("#drawings .gallery-item button").nth(2).click()
    page.get_by_role("button", name="Use these settings").click()
    page.wait_for_function("document.querySelector('#prompt textarea').value == 'a red car'")
    unfold(page)
    page.wait_for_function("document.querySelector('#steps :is(input, textarea)')?.value == '3'")
    values = [page.locator(f"#{name} :is(input, textarea)").first.input_value() for name in ("seed", "steps", "size")]
    assert values == [str(read_settings(first)["seed"]), "3", "64 × 80"]
    assert page.locator("#guidance textarea, #guidance input").first.input_value() == "2.5"


def test_stopping_leaves_the_page_ready_and_no_picture(visit: Any, folder: Path) -> None:
    page = begin(visit)
    unfold(page, steps=500)
    send(page, "a red car")
    page.locator("#drawn progress").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("#drawn", has_text="Stopped.").wait_for()
    wait_until_idle()
    assert not kept(folder)
    page.fill("#steps :is(input, textarea)", "2")
    send(page, "a red car")
    assert "Steps 2" in finished(page)


def test_a_closed_tab_stops_the_work(visit: Any, folder: Path) -> None:
    page = begin(visit)
    unfold(page, steps=500)
    send(page, "a red car")
    page.locator("#drawn progress").wait_for()
    page.close()
    wait_until_idle()
    assert not kept(folder)


def test_pictures_outlive_the_server_and_go_when_deleted_for_good(
    tmp_path: Path, row: dict[str, Any], browser: Any
) -> None:
    def visit(address: str) -> Any:
        page = browser.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(TIMEOUT)
        page.goto(f"{address}/en/")
        page.get_by_role("tab", name="Draw", exact=True).click()
        return page

    with studio_of(tmp_path, row) as address:
        page = visit(address)
        unfold(page, steps=2, seed=11)
        send(page, "a red car")
        finished(page)
    with studio_of(tmp_path, row) as address:
        page = visit(address)
        page.locator("#drawings .gallery-item button").click()
        page.locator("#drawn", has_text="Seed 11").wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save").click()
        assert read_settings(download.value.path())["seed"] == 11
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete for good?").click()
        page.locator("#canvas .empty").wait_for()
    assert not kept(tmp_path)


def test_a_picture_is_made_sharper_beside_the_one_it_was(visit: Any, folder: Path) -> None:
    page = begin(visit)
    unfold(page, steps=2)
    send(page, "a red car")
    finished(page)
    page.get_by_role("button", name="Sharper ×2").click()
    page.locator("#drawn", has_text="Sharpened by tiny-sharp").wait_for()
    sharper, drawn = kept(folder)
    assert (pixels(sharper).shape, pixels(drawn).shape) == ((128, 128, 3), (64, 64, 3))
    assert read_settings(sharper)["seed"] == read_settings(drawn)["seed"]
    assert page.locator("#drawn").inner_text().count("tiny-") == 2


def test_only_what_is_painted_is_drawn_anew(visit: Any, folder: Path, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 64), "teal").save(tmp_path / "teal.png")
    page = begin(visit)
    unfold(page, steps=4)
    unfold(page, 1)
    page.locator("#start canvas").first.wait_for()
    page.wait_for_timeout(1000)  # what is put on an editor that is not ready is lost
    page.set_input_files("#start input[type=file]", tmp_path / "teal.png")
    on_canvas(page)
    page.locator("#start canvas").first.scroll_into_view_if_needed()
    canvas = page.locator("#start canvas").first.bounding_box()
    across, down = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
    page.mouse.move(across, down)
    page.mouse.down()
    page.mouse.move(across + 8, down + 8, steps=4)
    page.mouse.up()
    send(page, "a red car")
    finished(page)
    settings = read_settings(kept(folder)[0])
    assert settings["from_image"]
    assert settings["from_mask"]
    assert settings["width"] == settings["height"] == 64


def test_a_drawing_goes_on_from_one_made_before(visit: Any, folder: Path) -> None:
    page = begin(visit)
    unfold(page, steps=2)
    send(page, "a red car")
    finished(page)
    page.get_by_role("button", name="Draw over it").click()
    on_canvas(page)
    send(page, "a blue car")
    page.locator("#drawn .words", has_text="a blue car").wait_for()
    over, first = (read_settings(path) for path in kept(folder))
    assert (over["from_image"], over["from_mask"], first["from_image"]) == (True, False, False)


def test_two_visitors_draw_at_once(visit: Any, folder: Path) -> None:
    pages = [begin(visit), begin(visit)]
    for page, prompt in zip(pages, ("a red car", "a blue cat"), strict=True):
        unfold(page, steps=20)
        send(page, prompt)
    assert ["a red car" in finished(pages[0]), "a blue cat" in finished(pages[1])] == [True, True]
    assert len(kept(folder)) == 2


def test_faults_are_one_clear_line_and_the_page_goes_on(visit: Any, folder: Path) -> None:
    page = begin(visit)
    send(page, "  ")
    refused(page, "There is no text to work on.")
    send(page, "car " * 2500)
    refused(page, "the limit is 2000")
    unfold(page)
    for name, value, line in (
        ("size", "7x9", "width is 7; it must be from 8"),
        ("size", "100000x100000", "width is 100000; it must be from 8"),
        ("size", "12 × 64", "width is 12; it must be a multiple of 8."),
        ("size", "large", "large is not a size."),
        ("steps", "0", "steps is 0; it must be from 1"),
        ("steps", "two", "steps: two is not a number"),
        ("guidance", "nan", "guidance is nan; it must be from 0"),
        ("seed", "-1", "seed is -1; it must be from 0"),
    ):
        box = page.locator(f"#{name} :is(input, textarea)").first
        box.fill(value)
        box.press("Tab")
        send(page, "a red car")
        refused(page, line)
        box.fill("64x64" if name == "size" else "2" if name == "steps" else "")
        box.press("Tab")
    send(page, "a red car")
    finished(page)
    assert len(kept(folder)) == 1


def test_words_of_a_prompt_are_never_markup(visit: Any) -> None:
    prompt = "<img src=x onerror=alert(1)>"
    page = begin(visit)
    page.on("dialog", lambda _: pytest.fail("a script of the prompt ran"))
    unfold(page, steps=2)
    send(page, prompt)
    assert prompt in finished(page)
    assert page.locator("#wall img[src=x]").count() == 0
    page.locator("#drawings .gallery-item button").click()
    page.locator("#drawn .words", has_text=prompt).wait_for()


def test_without_a_model_the_page_says_how_to_get_one(tmp_path: Path, browser: Any) -> None:
    row = {
        "name": "far-away", "capabilities": ["draw"], "engine": "kuamo.engines.draw.diffusion:Diffusion",
        "source": "nobody/far-away", "profiles": ["nano"],
    }  # fmt: skip
    with studio_of(tmp_path, row) as address:
        page = browser.new_context().new_page()
        page.goto(f"{address}/zh/")
        page.get_by_role("tab", name="画图", exact=True).click()
        page.locator("#drawn .notice", has_text="kuamo models pull nobody/far-away").wait_for()
        page.click("#idea")
        page.wait_for_function("document.querySelector('#prompt textarea').value")
        page.press("#prompt textarea", "Enter")
        page.locator("#prompt .submit-button").wait_for()
        page.locator("#drawn .notice", has_text="kuamo models pull nobody/far-away").wait_for()


def test_visitors_from_elsewhere_see_their_own_pictures_alone(
    tmp_path: Path, row: dict[str, Any], browser: Any
) -> None:
    with studio_of(tmp_path, row, host="0.0.0.0") as address:
        pages = []
        for _ in range(2):
            page = browser.new_context().new_page()
            page.set_default_timeout(TIMEOUT)
            page.goto(f"{address}/en/")
            page.get_by_role("tab", name="Draw", exact=True).click()
            pages.append(page)
        unfold(pages[0], steps=2)
        send(pages[0], "a red car")
        finished(pages[0])
        pages[0].get_by_text("Yours alone").wait_for()
        pages[1].get_by_role("tab", name="Talk", exact=True).click()
        pages[1].get_by_role("tab", name="Draw", exact=True).click()
        pages[1].wait_for_timeout(500)
        assert pages[1].locator("#drawings .gallery-item").count() == 0
    assert not (tmp_path / "drawings").exists()


def test_the_keyboard_is_enough(visit: Any, folder: Path) -> None:
    page = begin(visit)
    page.focus("#prompt textarea")
    page.keyboard.type("a red car")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Draw"
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#prompt textarea').value == 'a red car, photorealistic'")
    ring = "getComputedStyle(document.activeElement.closest('label')).outlineStyle"
    assert page.evaluate(ring) == "solid"
    page.focus("#prompt textarea")
    page.keyboard.press("Enter")
    finished(page)
    assert len(kept(folder)) == 1
