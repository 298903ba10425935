"""Ask a picture, in a real browser with the real reader."""

import logging
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import PIL.Image
import pytest

import screens
from kuamo.contracts import Line
from kuamo.media.image import from_pil
from kuamo.ui.answer import mark

pytestmark = pytest.mark.page
needs_font = pytest.mark.skipif(not screens.HAS_FONT, reason="the Noto Sans CJK font is not installed")


def png_of(width: int, height: int) -> bytes:
    """Return a PNG file that says it has so many pixels."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b""), b"IEND")
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def put(page: Any, picture: Path) -> None:
    """Put a picture on the page."""
    page.set_input_files("#picture input[type=file]", picture)
    page.locator("#picture img").wait_for()


def drop(page: Any, picture: Path) -> None:
    """Drop a picture on the one that is there."""
    script = """bytes => {
        const held = new DataTransfer();
        held.items.add(new File([new Uint8Array(bytes)], 'dropped.png', {type: 'image/png'}));
        return held;
    }"""
    held = page.evaluate_handle(script, list(picture.read_bytes()))
    page.dispatch_event("#picture div.upload-container", "drop", {"dataTransfer": held})


def send(page: Any, question: str) -> None:
    """Type a question and send it."""
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")


def turns(page: Any) -> list[str]:
    """Return what was asked and answered, in order."""
    return list(page.locator("#answer .bubbles p").all_inner_texts())


def answered(page: Any, turn: int = 1) -> str:
    """Wait for the end of a turn; return its answer, failing with the notice where there is one instead."""
    page.locator("#answer .assistant").nth(turn - 1).wait_for()
    end = page.locator("#answered .sources, #answered .notice").first
    end.wait_for()
    assert end.get_attribute("class") == "sources", end.inner_text()
    return turns(page)[-1]


def refused(page: Any, line: str) -> None:
    """Wait for a notice; it is one line."""
    notice = page.locator("#answered .notice", has_text=line)
    notice.wait_for()
    assert len(notice.inner_text().splitlines()) == 1


def ask(page: Any, picture: Path, question: str) -> str:
    """Put a picture and a question on the page; return the answer once it has come."""
    put(page, picture)
    send(page, question)
    return answered(page)


def box(page: Any, selector: str) -> list[float]:
    """Return left, top, right and bottom of an element, in pixels."""
    script = "element => { const r = element.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] }"
    return list(page.locator(selector).evaluate(script))


@needs_font
@pytest.mark.parametrize(
    ("language", "asked", "read_by"),
    [
        ("en", ("What is the system version?", "And the model?", "Is it dark?"), "Read by rapidocr"),
        ("zh", ("系统版本是多少？", "那型号呢？", "它是深色的吗？"), "识字：rapidocr"),
    ],
)
def test_three_turns_about_a_picture_that_stays(
    visit: Any, tmp_path: Path, language: str, asked: tuple[str, str, str], read_by: str
) -> None:
    screens.phone_settings(language, width=780).save(tmp_path / "手机 phone.png")
    page = visit(f"/{language}/")
    assert ask(page, tmp_path / "手机 phone.png", asked[0]) == "17.4.1"
    assert read_by in page.locator("#answered").inner_text()
    assert page.input_value("#question textarea") == ""
    shown = page.locator("#picture img").get_attribute("src")
    first = box(page, "#place .outline rect")
    send(page, asked[1])
    assert answered(page, 2) == "iPhone 15 Pro"
    assert box(page, "#place .outline rect") != first
    send(page, asked[2])
    third = answered(page, 3)
    assert third.startswith(f"780x1688 Turn 3: {asked[0]} | {asked[1]} | ")
    assert third.endswith(asked[2])
    assert page.locator("#place svg").count() == 0  # the model saw for itself
    assert "parrot" in page.locator("#answered").inner_text()
    assert page.locator("#picture img").get_attribute("src") == shown
    assert turns(page) == [asked[0], "17.4.1", asked[1], "iPhone 15 Pro", asked[2], third]


@needs_font
@pytest.mark.parametrize("width", [1280, 375])
def test_the_mark_lies_on_the_picture(visit: Any, tmp_path: Path, width: int) -> None:
    picture = screens.phone_settings("en", width=780)
    picture.save(tmp_path / "phone.png")
    page = visit("/en/", viewport={"width": width, "height": 800})
    ask(page, tmp_path / "phone.png", "What is the system version?")
    assert box(page, "#place svg") == pytest.approx(box(page, "#picture img"), abs=1)
    assert page.locator("#picture img").evaluate("image => getComputedStyle(image).objectFit") == "contain"
    page.get_by_label("The answer was read here").wait_for()


@needs_font
def test_a_newcomer_needs_two_clicks(visit: Any) -> None:
    page = visit("/zh/")
    page.click("#sample")
    page.locator("#picture img").wait_for()
    page.get_by_role("button", name="系统版本是多少？").click()
    assert answered(page) == "17.4.1"


def test_a_click_describes_the_picture(visit: Any, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    for path, button, question in (
        ("/en/", "Describe it", "Describe the picture."),
        ("/zh/", "描述图片", "描述一下这张图片。"),
    ):
        page = visit(path)
        put(page, tmp_path / "teal.png")
        page.get_by_role("button", name=button).click()
        assert answered(page) == f"64x48 Turn 1: {question}"


def test_a_conversation_begins_anew_by_the_button_and_with_another_picture(visit: Any, tmp_path: Path) -> None:
    for name, size in (("one", (60, 40)), ("two", (70, 50))):
        PIL.Image.new("RGB", size, "teal").save(tmp_path / f"{name}.png")
    page = visit("/en/")
    assert (
        ask(page, tmp_path / "one.png", "<b onclick=alert()>what?</b>") == "60x40 Turn 1: <b onclick=alert()>what?</b>"
    )
    page.get_by_role("button", name="New conversation").click()
    page.locator("#answer .empty").wait_for()
    assert page.locator("#picture img").is_visible()
    send(page, "and now?")
    assert answered(page) == "60x40 Turn 1: and now?"
    page.locator("#picture").get_by_label("Remove Image").click()
    page.locator("#answer .empty").wait_for()
    assert ask(page, tmp_path / "two.png", "what is it?") == "70x50 Turn 1: what is it?"
    before = page.locator("#picture img").get_attribute("src")
    drop(page, tmp_path / "one.png")
    page.locator("#answer .empty").wait_for()
    page.wait_for_function("before => (document.querySelector('#picture img')?.src ?? before) != before", arg=before)
    send(page, "and here?")
    assert answered(page) == "60x40 Turn 1: and here?"


def test_a_question_that_fails_may_be_sent_again(visit: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    PIL.Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    page = visit("/en/")
    ask(page, tmp_path / "teal.png", "one")
    with caplog.at_level(logging.ERROR):
        send(page, "break")
        refused(page, "Something went wrong on our side.")
    assert "a bug of ours" in caplog.text
    assert "a bug of ours" not in page.content()
    assert turns(page) == ["one", "64x48 Turn 1: one"]
    assert page.input_value("#question textarea") == "break"
    send(page, "two")
    assert answered(page, 2) == "64x48 Turn 2: one | two"


def test_a_conversation_too_long_says_what_to_do(visit: Any, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    page = visit("/zh/")
    ask(page, tmp_path / "teal.png", "好")
    send(page, "不停地说")
    refused(page, "模型的窗口只能容纳 9 个。请缩短对话、重新开始或减少图片。")
    page.get_by_role("button", name="新的对话").click()
    page.locator("#answer .empty").wait_for()
    assert page.locator("#answered .notice").count() == 0


def test_visitors_do_not_see_each_other(visit: Any, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    first, second = visit("/en/"), visit("/en/")
    ask(first, tmp_path / "teal.png", "my secret")
    assert ask(second, tmp_path / "teal.png", "hello") == "64x48 Turn 1: hello"
    send(second, "and now")
    assert answered(second, 2) == "64x48 Turn 2: hello | and now"
    assert "secret" not in second.content()


def test_faults_are_one_clear_line_and_the_page_goes_on(visit: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not a picture")
    (tmp_path / "bomb.png").write_bytes(png_of(30_000, 30_000))
    page = visit("/en/")
    page.press("#question textarea", "Enter")
    refused(page, "Type a question first.")
    page.fill("#question textarea", "What is this?")
    for name, says in (
        ("notes.png", "notes.png is not a picture that can be read."),
        ("bomb.png", "the limit is 50 megapixels"),
    ):
        page.set_input_files("#picture input[type=file]", tmp_path / name)
        page.locator("#picture img").wait_for(state="attached")
        for line in (says, "Add a picture first."):  # what cannot be read is not kept
            page.press("#question textarea", "Enter")
            refused(page, line)
        page.locator("#picture").get_by_label("Remove Image").click()


def test_the_mark_is_drawn_around_the_line() -> None:
    line = Line("17.4.1", ((300, 100), (400, 104), (400, 140), (300, 140)), 0.9)
    svg = ElementTree.fromstring(mark(from_pil(PIL.Image.new("RGB", (3200, 1000))), (line,), 'a "place" <here>'))
    assert (svg.get("viewBox"), svg.get("aria-label")) == ("0 0 3200 1000", 'a "place" <here>')
    (outline,) = svg.findall("g[@class='outline']/rect")
    left, top, width, height = (float(outline.attrib[name]) for name in ("x", "y", "width", "height"))
    assert 280 < left < 300
    assert 400 < left + width < 420
    assert 80 < top < 100
    assert 140 < top + height < 160
    assert mark(from_pil(PIL.Image.new("RGB", (8, 8))), (), "") == ""
