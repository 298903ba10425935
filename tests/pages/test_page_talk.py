"""Talk, in a real browser: typed, uploaded and through the microphone."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import soundfile
from parrot import Parrot

from kuamo.media.audio import read_audio
from kuamo.media.limits import Limits

pytestmark = pytest.mark.page
TAB = {"/en/": "Talk", "/zh/": "语音助手"}
PLAYS = "() => document.querySelector('#reply audio').currentTime > 0"


def open_talk(visit: Any, path: str = "/en/", **context: Any) -> Any:
    """Open the page on the tab."""
    page = visit(path, **context)
    page.get_by_role("tab", name=TAB[path], exact=True).click()
    page.locator("#words textarea").wait_for()
    return page


def tell(page: Any, words: str) -> None:
    """Type words and send them."""
    page.fill("#words textarea", words)
    page.press("#words textarea", "Enter")


def answered(page: Any, words: str, turn: int = 1) -> None:
    """Wait for an answer with these words, for what is told of it, and for its speech."""
    page.locator("#conversation .assistant", has_text=words).wait_for()
    page.locator("#conversation .assistant + .sources").nth(turn - 1).wait_for()
    page.wait_for_function(PLAYS)


def upload(page: Any, file: Path) -> None:
    """Upload a recording."""
    page.locator("#recording .source-selection button").first.click()
    page.set_input_files("#recording input[type=file]", file)


def wait_until(happens: Callable[[], bool]) -> None:
    """Wait at most a minute."""
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/en/", ("Answered by parrot", "Spoken by espeak", "First words after", "First sound after")),
        ("/zh/", ("回答：parrot", "朗读：espeak", "秒出字", "秒出声")),
    ],
)
def test_a_conversation_goes_on_and_begins_anew(visit: Any, path: str, by: tuple[str, ...]) -> None:
    page = open_talk(visit, path)
    tell(page, "<b onclick=alert()>one</b>")
    answered(page, "Turn 1: <b onclick=alert()>one</b>")  # shown as it is, never as HTML
    told = " ".join(page.locator("#conversation .sources").all_inner_texts())
    assert all(part in told for part in by)
    tell(page, "two")
    answered(page, "| two", 2)
    assert page.locator("#conversation .sources").count() == 4  # under each of the turns
    page.get_by_role("button", name={"/en/": "New conversation", "/zh/": "新的对话"}[path]).click()
    page.locator("#conversation .empty").wait_for()
    assert page.locator("#reply audio").is_hidden()
    tell(page, "three")
    answered(page, "Turn 1: three")


def test_speech_begins_while_the_text_is_written(visit: Any) -> None:
    Parrot.may_go_on.clear()
    page = open_talk(visit)
    tell(page, "wait")
    page.wait_for_function(PLAYS)
    assert page.locator("#conversation .assistant").inner_text() == "I am waiting here. And"
    Parrot.may_go_on.set()
    answered(page, "I am waiting here. And now I go on.")
    whole = "() => document.querySelector('#reply audio').duration > 1.5"  # once all was heard, to be heard again
    page.wait_for_function(f"() => document.querySelector('#reply audio').paused && ({whole})()")


def test_what_is_sent_while_it_speaks_interrupts_it(visit: Any) -> None:
    page = open_talk(visit)
    stopped = Parrot.stopped
    tell(page, "never end")
    page.wait_for_function(PLAYS)
    page.evaluate("window.first = document.querySelector('#reply audio').src")
    tell(page, "stop")
    wait_until(lambda: Parrot.stopped == stopped + 1)
    answered(page, "Turn 2: never end | stop", 2)
    assert page.evaluate("document.querySelector('#reply audio').src !== window.first")
    turns = page.locator("#conversation .bubbles").inner_text()
    assert turns.index("On and on.") < turns.index("Interrupted") < turns.index("Turn 2")


def test_the_work_ends_when_the_page_is_closed(visit: Any) -> None:
    page = open_talk(visit)
    stopped = Parrot.stopped
    tell(page, "never end")
    page.locator("#conversation .assistant", has_text="On and on.").wait_for()
    page.close()
    wait_until(lambda: Parrot.stopped == stopped + 1)


def test_visitors_do_not_see_each_other(visit: Any) -> None:
    first, second = open_talk(visit), open_talk(visit)
    tell(first, "my secret")
    tell(second, "hello")
    answered(first, "Turn 1: my secret")
    answered(second, "Turn 1: hello")
    tell(second, "and now")
    answered(second, "Turn 2: hello | and now", 2)
    assert "secret" not in second.content()


def test_a_picture_is_talked_about(visit: Any, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    page = open_talk(visit)
    tell(page, "hello")
    answered(page, "Turn 1: hello")
    page.set_input_files("#subject input[type=file]", tmp_path / "teal.png")
    page.locator("#subject img").wait_for()
    tell(page, "what is in it?")
    answered(page, "64x48 Turn 1: what is in it?")
    tell(page, "and now?")
    answered(page, "64x48 Turn 2: what is in it? | and now?", 2)
    page.locator("#subject").get_by_label("Remove Image").click()
    page.locator("#conversation .empty").wait_for()


@pytest.mark.parametrize("path", ["/en/", "/zh/"])
def test_a_recording_is_heard(visit: Any, data: Path, path: str) -> None:
    page = open_talk(visit, path)
    upload(page, data / "speech" / "LJ050-0131.wav")
    page.locator("#conversation .user", has_text="review").wait_for()
    answered(page, "review")


@pytest.mark.parametrize(("path", "record", "stop"), [("/en/", "Record", "Stop"), ("/zh/", "录制", "停止")])
def test_the_microphone_is_heard(
    visit: Any, chromium: Callable[..., Any], data: Path, tmp_path: Path, path: str, record: str, stop: str
) -> None:
    speech = tmp_path / "speech.wav"
    speech.write_bytes(read_audio(data / "speech" / "jfk.flac", Limits()).encode("wav"))
    fakes = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with_microphone = chromium(*fakes, f"--use-file-for-fake-audio-capture={speech}")
    page = open_talk(visit, path, through=with_microphone, permissions=["microphone"])
    tell(page, "never end")
    page.wait_for_function(PLAYS)
    stopped = Parrot.stopped
    page.get_by_role("button", name=record, exact=True).click()
    wait_until(lambda: Parrot.stopped == stopped + 1)  # who speaks is not spoken over
    page.locator("#reply audio").wait_for(state="hidden")
    page.wait_for_timeout(4000)
    page.get_by_role("button", name=stop, exact=True).first.click()
    page.locator("#conversation .user").nth(1).wait_for()
    answered(page, "Turn 2:", 2)
    with_microphone.close()


def test_faults_are_one_clear_line_and_the_conversation_goes_on(
    visit: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "notes.wav").write_bytes(b"this is not a recording")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    with soundfile.SoundFile(tmp_path / "long.mp3", "w", 8000, 1, format="MP3") as file:
        for _ in range(10):
            file.write(np.zeros(8000 * 40))
    page = open_talk(visit)
    tell(page, "one")
    answered(page, "Turn 1: one")
    for name, line in (
        ("notes.wav", "notes.wav is not a recording that can be read."),
        ("silence.wav", "I heard nothing"),
        ("long.mp3", "long.mp3 lasts 400 s; what you say to the assistant at once may last 300 s."),
    ):
        upload(page, tmp_path / name)
        page.locator("#status .notice", has_text=line).wait_for()
    with caplog.at_level(logging.ERROR):
        tell(page, "break")
        page.locator("#status .notice", has_text="Something went wrong on our side.").wait_for()
    assert "a bug of ours" in caplog.text
    assert "a bug of ours" not in page.content()
    assert page.input_value("#words textarea") == "break"
    tell(page, "two")
    answered(page, "Turn 2: one | two", 2)
