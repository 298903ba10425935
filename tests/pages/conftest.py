"""The studio behind a real server, and a real browser that must not leave this machine."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import parrot
import pytest

from kuamo.catalogue import Catalogue
from kuamo.runtime import Models
from kuamo.settings import Settings
from serving import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
BROWSERS: list[Any] = []
Visit = Callable[..., Any]


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the studio, with the parrot for chat."""
    from kuamo.api.app import create_app
    from kuamo.ui.page import mount

    settings = Settings.read(model=(parrot.ROW,), folder=tmp_path_factory.mktemp("kuamo"))
    models = Models(Catalogue.load(settings.model), settings)
    with served(mount(create_app(settings, models), settings, models)) as address:
        yield address
    models.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[..., Any]]:
    """Start Chromium with more arguments; every browser is closed at the end."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    def start(*more: str) -> Any:
        BROWSERS.append(playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *more]))
        return BROWSERS[-1]

    with sync_playwright() as playwright:
        yield start


@pytest.fixture(autouse=True)
def no_page_left() -> Iterator[None]:
    """Close the pages of a test: those left open go on working, and slow all that follow."""
    yield
    for context in [context for browser in BROWSERS for context in browser.contexts]:
        context.close()


@pytest.fixture(scope="session")
def browser(chromium: Callable[..., Any]) -> Iterator[Any]:
    """One browser for all tests; each visit has a context of its own."""
    browser = chromium()
    yield browser
    browser.close()


@pytest.fixture
def visit(studio: str, browser: Any) -> Iterator[Visit]:
    """Open a page of the studio as a new visitor; in the end no request may have gone to another host."""
    asked: list[str] = []

    def open_page(path: str = "/en/", through: Any = browser, **context: Any) -> Any:
        page = through.new_context(**context).new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(studio + path)
        page.get_by_role("tab").first.wait_for()
        return page

    yield open_page
    away = [url for url in asked if not url.startswith((studio, "data:", "blob:"))]
    assert asked
    assert not away
