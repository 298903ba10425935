"""Ask a picture, in a real browser with the real reader."""

import struct
import zlib
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

import screens
from kuamo.contracts import Line
from kuamo.media.image import from_pil
from kuamo.ui.answer import mark
from kuamo.ui.theme import ACCENT

pytestmark = pytest.mark.page
needs_font = pytest.mark.skipif(not screens.HAS_FONT, reason="the Noto Sans CJK font is not installed")


def png_of(width: int, height: int) -> bytes:
    """Return a PNG file that says it has so many pixels."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b""), b"IEND")
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def answered(page: Any) -> str:
    """Wait for the end of a question; return the answer, failing with the notice where there is one instead."""
    end = page.locator("#answer .sources, #answer .notice").first
    end.wait_for()
    assert end.get_attribute("class") == "sources", end.inner_text()
    return str(page.locator("#answer .text").inner_text())


def ask(page: Any, picture: Path, question: str) -> str:
    """Put a picture and a question on the page; return the answer once it has come."""
    page.set_input_files("#picture input[type=file]", picture)
    page.locator("#picture img").wait_for()
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    return answered(page)


@needs_font
@pytest.mark.parametrize(
    ("language", "question", "read_by"),
    [("en", "What is the system version?", "Read by rapidocr"), ("zh", "系统版本是多少？", "识字：rapidocr")],
)
def test_the_answer_and_its_place(visit: Any, tmp_path: Path, language: str, question: str, read_by: str) -> None:
    screens.phone_settings(language, width=780).save(tmp_path / "手机 phone.png")
    page = visit(f"/{language}/")
    assert ask(page, tmp_path / "手机 phone.png", question) == "17.4.1"
    assert read_by in page.locator("#answer .sources").inner_text()
    marked = page.locator("#marked img")
    marked.wait_for()
    assert marked.evaluate("image => image.naturalHeight") > 500


@needs_font
def test_a_newcomer_needs_two_clicks(visit: Any) -> None:
    page = visit("/zh/")
    page.click("#sample")
    page.locator("#picture img").wait_for()
    page.get_by_role("button", name="系统版本是多少？").click()
    assert answered(page) == "17.4.1"


def test_faults_are_one_clear_line_and_the_page_goes_on(visit: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not a picture")
    (tmp_path / "bomb.png").write_bytes(png_of(30_000, 30_000))
    page = visit("/en/")
    page.press("#question textarea", "Enter")
    page.locator("#answer .notice", has_text="Type a question first.").wait_for()
    page.fill("#question textarea", "What is this?")
    for name, says in (
        ("notes.png", "notes.png is not a picture that can be read."),
        ("bomb.png", "the limit is 50 megapixels"),
    ):
        page.set_input_files("#picture input[type=file]", tmp_path / name)
        page.locator("#picture img").wait_for(state="attached")
        for line in (says, "Add a picture first."):  # what cannot be read is not kept
            page.press("#question textarea", "Enter")
            notice = page.locator("#answer .notice", has_text=line)
            notice.wait_for()
            assert len(notice.inner_text().splitlines()) == 1
        page.locator("#picture").get_by_label("Remove Image").click()


def test_the_mark_is_drawn_where_the_line_is() -> None:
    line = Line("17.4.1", ((300, 100), (400, 100), (400, 140), (300, 140)), 0.9)
    grey = PIL.Image.new("RGB", (3200, 1000), "#808080")
    marked = mark(from_pil(grey), (line,))
    assert marked.size == (1600, 500)
    assert marked.getpixel((175, 60)) == (128, 128, 128)  # inside: as it was
    assert max(marked.getpixel((900, 400))) < 128  # outside: dimmed
    accent = tuple(bytes.fromhex(ACCENT[1:]))
    outline = [y for y in range(marked.height) if marked.getpixel((175, y)) == accent]
    assert 25 < outline[0] < 50  # above the line's top
    assert 70 < outline[-1] < 95  # below its bottom
