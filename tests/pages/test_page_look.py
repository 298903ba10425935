"""The page around the tabs: languages, small screens, the dark."""

from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.page


@pytest.mark.parametrize(
    ("accepts", "leads_to"), [("zh-CN,zh;q=0.9,en;q=0.8", "/zh/"), ("en-GB", "/en/"), ("", "/en/")]
)
def test_the_first_page_is_in_the_visitors_language(studio: str, accepts: str, leads_to: str) -> None:
    answer = httpx.get(studio, headers={"Accept-Language": accepts})
    assert (answer.status_code, answer.headers["location"]) == (307, leads_to)


def test_the_switch_leads_to_the_other_language(visit: Any) -> None:
    page = visit("/en/", locale="fr-FR")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("link", name="中文").click()
    page.get_by_role("tab", name="看图问答").wait_for()
    page.get_by_role("tab", name="语音助手").click()
    page.get_by_role("button", name="录制", exact=True).wait_for()  # Gradio's own words, too
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.get_by_text("全部在本机运行").is_visible()


def test_gradios_own_refusals_are_in_the_pages_language(visit: Any, tmp_path: Path) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(101_000_000)  # one megabyte over the limit, none of them on the disk
    page = visit("/zh/")
    page.set_input_files("#picture input[type=file]", tmp_path / "large.png")
    page.get_by_text("文件太大，上限是 100 MB。").first.wait_for()


@pytest.mark.parametrize("path", ["/en/", "/zh/"])
def test_a_phone_needs_no_sideways_scrolling(visit: Any, path: str) -> None:
    page = visit(path, viewport={"width": 390, "height": 844}, color_scheme="dark")
    for tab in range(4):
        page.get_by_role("tab").nth(tab).click()
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.body.classList.contains('dark')")


@pytest.mark.parametrize(("path", "tab"), [("/en/", "Search"), ("/zh/", "搜图")])
def test_without_a_folder_to_search_the_tab_says_how_to_give_one(visit: Any, path: str, tab: str) -> None:
    page = visit(path)
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator("#found .empty", has_text="kuamo serve --search").wait_for()
    assert page.locator("#query").count() == 0


def test_the_keyboard_is_enough(visit: Any) -> None:
    page = visit("/en/")
    page.get_by_role("tab").first.focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#words textarea").focus()
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.locator("#conversation .assistant", has_text="Turn 1: hello").wait_for()


def test_the_page_forbids_other_hosts(studio: str) -> None:
    answer = httpx.get(f"{studio}/en/")
    assert "default-src 'self' data: blob:" in answer.headers["content-security-policy"]
    assert "googleapis" not in answer.text
