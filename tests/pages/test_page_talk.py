"""Talk, in a real browser: typed, uploaded and through the microphone."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kuamo.media.audio import read_audio
from kuamo.media.limits import Limits

pytestmark = pytest.mark.page


def open_talk(visit: Any, path: str = "/en/", **context: Any) -> Any:
    """Open the page on its second tab."""
    page = visit(path, **context)
    page.get_by_role("tab").nth(1).click()
    page.locator("#words textarea").wait_for()
    return page


def tell(page: Any, words: str) -> None:
    """Type words and send them."""
    page.fill("#words textarea", words)
    page.press("#words textarea", "Enter")


def answered(page: Any, words: str) -> None:
    """Wait for an answer with these words, and for its speech."""
    page.locator("#conversation .assistant", has_text=words).wait_for()
    page.locator("#status .sources").wait_for()
    page.locator("#reply").wait_for()


def test_a_conversation_goes_on_and_begins_anew(visit: Any) -> None:
    page = open_talk(visit)
    tell(page, "<b onclick=alert()>one</b>")
    answered(page, "Turn 1: <b onclick=alert()>one</b>")  # shown as it is, never as HTML
    assert "Answered by parrot" in page.locator("#status").inner_text()
    assert "Spoken by espeak" in page.locator("#status").inner_text()
    tell(page, "two")
    answered(page, "| two")
    page.get_by_role("button", name="New conversation").click()
    page.locator("#conversation .assistant").first.wait_for(state="detached")
    tell(page, "three")
    answered(page, "Turn 1: three")


def test_visitors_do_not_see_each_other(visit: Any) -> None:
    first, second = open_talk(visit), open_talk(visit)
    tell(first, "my secret")
    tell(second, "hello")
    answered(first, "Turn 1: my secret")
    answered(second, "Turn 1: hello")
    tell(second, "and now")
    answered(second, "Turn 2: hello | and now")
    assert "secret" not in second.locator("#conversation").inner_text()


def test_a_recording_is_heard(visit: Any, data: Path) -> None:
    page = open_talk(visit, "/zh/")
    page.locator("#recording").get_by_label("Upload file").click()
    page.set_input_files("#recording input[type=file]", data / "speech" / "jfk.flac")
    page.locator("#conversation .user", has_text="country").wait_for()
    answered(page, "country")


def test_the_microphone_is_heard(visit: Any, chromium: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    speech = tmp_path / "speech.wav"
    speech.write_bytes(read_audio(data / "speech" / "jfk.flac", Limits()).encode("wav"))
    fakes = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with_microphone = chromium(*fakes, f"--use-file-for-fake-audio-capture={speech}")
    page = open_talk(visit, through=with_microphone, permissions=["microphone"])
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(4000)
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.locator("#conversation .user").first.wait_for()
    answered(page, "Turn 1:")
    with_microphone.close()


def test_faults_are_one_clear_line_and_the_conversation_goes_on(
    visit: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "silence.wav").write_bytes(b"this is not a recording")
    page = open_talk(visit)
    tell(page, "one")
    answered(page, "Turn 1: one")
    page.locator("#recording").get_by_label("Upload file").click()
    page.set_input_files("#recording input[type=file]", tmp_path / "silence.wav")
    page.locator("#status .notice", has_text="silence.wav is not a recording that can be read.").wait_for()
    with caplog.at_level(logging.ERROR):
        tell(page, "break")
        page.locator("#status .notice", has_text="Something went wrong on our side.").wait_for()
    assert "a bug of ours" in caplog.text
    assert "a bug of ours" not in page.content()
    tell(page, "two")
    answered(page, "Turn 2: one | two")
