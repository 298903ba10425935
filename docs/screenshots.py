"""Photograph the studio for the README: the real page, its default profile, every language and light.

Run `python docs/screenshots.py`; it needs Chromium, Playwright and the Noto Sans CJK fonts.
"""

import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image
import uvicorn
from playwright.sync_api import Page, sync_playwright

from kuamo.api.app import create_app
from kuamo.catalogue import Catalogue
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.ui.page import mount

FOLDER = Path(__file__).parent / "images"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: Any = {"width": 1280, "height": 860}
PHONE: Any = {"width": 390, "height": 844}
QUESTIONS = {"en": ("What is the system version?", "And the model?"), "zh": ("系统版本是多少？", "那型号呢？")}
PROMPT = {"en": "a red car on a road at dusk", "zh": "傍晚的公路上有一辆红色的汽车"}
SEED = 7
WORDS = {"en": "What can you do?", "zh": "你能帮我做什么？"}


@contextmanager
def studio(folder: Path) -> Iterator[str]:
    """Run the studio on a free port, its files in a folder; yield its address."""
    settings = Settings.read(folder=folder)
    models = Models(Catalogue.load(settings.model), settings)
    app = mount(create_app(settings, models), settings, models)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def ask(page: Page, language: str) -> None:
    """Ask the sample picture for the version of its system, then for its model."""
    page.click("#sample")
    page.locator("#picture img").wait_for()
    for turn, question in enumerate(QUESTIONS[language]):
        page.fill("#question textarea", question)
        page.press("#question textarea", "Enter")
        page.locator("#answer .assistant").nth(turn).wait_for()
        page.locator("#answered .sources").wait_for()
    page.locator("#place svg").wait_for()


def draw(page: Page, language: str) -> None:
    """Draw a scene, always the same."""
    page.get_by_role("tab").nth(1).click()
    page.locator(".fold > button").first.click()
    page.fill("#seed :is(input, textarea)", str(SEED))
    page.locator(".fold > button").first.click()
    page.fill("#prompt textarea", PROMPT[language])
    page.press("#prompt textarea", "Enter")
    page.locator("#drawn .sources, #drawn .notice").first.wait_for()
    if page.locator("#drawn .notice").count():
        sys.exit(page.locator("#drawn .notice").inner_text())
    page.locator("#drawings img").first.wait_for()


def talk(page: Page, language: str) -> None:
    """Say good morning."""
    page.get_by_role("tab").nth(2).click()
    page.fill("#words textarea", WORDS[language])
    page.press("#words textarea", "Enter")
    page.locator("#conversation .sources, #status .notice").first.wait_for()
    if page.locator("#status .notice").count():
        sys.exit(page.locator("#status .notice").inner_text())
    page.locator("#reply audio").wait_for()


def save(page: Page, name: str) -> None:
    """Write the page as a PNG of at most 256 colours."""
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)
    picture = PIL.Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    file = FOLDER / f"{name}.png"
    picture.quantize(256, dither=PIL.Image.Dither.NONE).save(file, optimize=True)
    print(f"{file}  {file.stat().st_size / 1000:.0f} kB")


SHOTS = (
    ("ask-en", ask, "en", DESKTOP, "light"),
    ("ask-zh", ask, "zh", DESKTOP, "light"),
    ("ask-dark", ask, "en", DESKTOP, "dark"),
    ("ask-phone-zh", ask, "zh", PHONE, "light"),
    ("talk-en", talk, "en", DESKTOP, "light"),
    ("talk-zh", talk, "zh", DESKTOP, "light"),
    ("draw-en", draw, "en", DESKTOP, "light"),
    ("draw-zh", draw, "zh", DESKTOP, "light"),
    ("draw-phone-zh", draw, "zh", PHONE, "dark"),
)


def main() -> None:
    """Take every picture, or those named on the command line."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        for name, act, language, viewport, scheme in SHOTS:
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
            page.goto(f"{address}/{language}/")
            act(page, language)
            save(page, name)
        browser.close()


if __name__ == "__main__":
    main()
