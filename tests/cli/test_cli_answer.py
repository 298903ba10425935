"""`kuamo ask`: real pictures, real reading; one question, or several in turn."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

import screens
from openai_server import openai_server
from terminals import terminal


@pytest.fixture(params=["zh", "en"])
def phone(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A phone's page of settings in a file, and a question about it in its language."""
    if not screens.HAS_FONT:
        pytest.skip("the font with Chinese is not here")
    file = Path(f"手机 {request.param}.png")
    screens.phone_settings(request.param, width=780).save(file)
    return file, {"zh": "系统版本是多少?", "en": "What is the system version?"}[request.param]


def test_a_phone_is_asked_for_its_version(phone: tuple[Path, str], kuamo) -> None:
    done = kuamo("ask", *phone)
    assert (done.exit_code, done.stdout) == (0, "17.4.1\n")
    assert "rapidocr" in done.stderr
    assert done.stderr.count("\n") == 1


def test_json_tells_the_place_and_the_source(phone: tuple[Path, str], kuamo) -> None:
    shown = json.loads(kuamo("ask", *phone, "--json").stdout)
    assert (shown["status"], shown["text"]) == ("success", "17.4.1")
    (place,) = [place for place in shown["places"] if "17.4.1" in place["text"]]
    assert all(0 <= x <= 780 and 0 <= y <= 780 * 2532 / 1170 for x, y in place["corners"])
    assert [trace["model"] for trace in shown["traces"]] == ["rapidocr"]


@pytest.mark.parametrize(
    ("question", "answer"), [("What is the password?", "aaeu"), ("密码是什么?", "aaeu"), ("Traffic?", "1 GB")]
)
def test_a_photographed_ticket_is_asked(question: str, answer: str, kuamo, data: Path) -> None:
    assert kuamo("ask", data / "images" / "wifi_ticket.jpg", question).stdout == f"{answer}\n"


@pytest.mark.parametrize(("question", "told"), [("what is it?", "not from the small world"), ("这是什么？", "不属于")])
def test_of_a_photograph_the_small_model_says_that_it_would_guess(question: str, told: str, kuamo, data: Path) -> None:
    done = kuamo("ask", data / "images" / "cheetah.jpg", question, "--profile", "nano")
    assert done.exit_code == 0
    assert told in done.stdout
    assert "kuamo models pull " in done.stdout


# --- several turns


@pytest.fixture
def ticket(data: Path) -> Path:
    """The part of the photographed ticket that has the labels."""
    PIL.Image.open(data / "images" / "wifi_ticket.jpg").crop((0, 330, 672, 610)).save("ticket.png")
    return Path("ticket.png")


def test_each_line_of_stdin_is_a_question_and_each_answer_a_line(ticket: Path, kuamo) -> None:
    done = kuamo("ask", ticket, stdin="\ufeffWhat is the username?\n\n那密码呢？\nand the traffic?")
    assert (done.exit_code, done.stdout) == (0, "fqpp\naaeu\n1 GB\n")


def test_the_model_is_told_the_turns_before(ticket: Path, kuamo) -> None:
    with openai_server() as server:
        lines = kuamo("ask", ticket, "--model", f"answer={server.url}#echo", stdin="Password?\nWhat is\tit?\n").stdout
    first, second = lines.splitlines()
    assert first == "aaeu"
    assert second.startswith("Text read in the picture")  # of several lines, on one
    assert second.endswith("Question: What is it?")


def test_a_question_that_fails_is_told_and_the_others_go_on(ticket: Path, kuamo) -> None:
    long = "x" * 30_000
    done = kuamo("ask", ticket, stdin=f"Password?\n{long}\nAnd the username?\n")
    assert (done.exit_code, done.stdout) == (2, "aaeu\n\nfqpp\n")
    assert "The text has 30000 characters; the limit is 20000." in done.stderr
    shown = json.loads(kuamo("ask", ticket, "--json", stdin=f"Password?\n{long}\n").stdout)
    assert shown["status"] == "partial"
    assert [turn.get("text") for turn in shown["turns"]] == ["aaeu", None]
    assert shown["turns"][0]["places"][0]["text"] == "Password: aaeu"
    assert shown["turns"][1]["error"]["code"] == "text_too_long"


@pytest.mark.parametrize(
    ("stdin", "line"),
    [("", "QUESTION is missing. `kuamo ask --help` shows"), (b"\xc3\x28\n", "stdin is not a text in UTF-8.")],
)
def test_no_question_is_told(stdin: Any, line: str, ticket: Path, kuamo) -> None:
    done = kuamo("ask", ticket, stdin=stdin)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(line)


@pytest.mark.parametrize("end", ["\n", "\x04"], ids=["an empty line", "Ctrl-D"])
def test_on_a_terminal_it_is_a_conversation(end: str, ticket: Path) -> None:
    with terminal("ask", ticket, "--lang", "zh") as kuamo:
        kuamo.until("请提问；空行结束。")
        kuamo.until("> ")
        for question, answer in (("密码是什么？", "aaeu"), ("And the username?", "fqpp")):
            kuamo.type(f"{question}\n")
            kuamo.until(f"{question}\r\n")
            kuamo.until(f"{answer}\r\n")
            kuamo.until("> ")
        kuamo.type(end)
        assert "Traceback" not in kuamo.rest()
        assert kuamo.run.wait(30) == 0


def test_ctrl_c_ends_a_conversation_with_130(ticket: Path) -> None:
    with terminal("ask", ticket) as kuamo:
        kuamo.until("> ")
        _wait_until_asleep(kuamo.run.pid)
        kuamo.run.send_signal(signal.SIGINT)
        assert "Traceback" not in kuamo.rest()
        assert kuamo.run.wait(30) == 130


def _wait_until_asleep(process: int) -> None:
    """Wait until a program that has shown its prompt waits for a key: a signal just before could go unnoticed."""
    deadline = time.monotonic() + 60
    while Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < deadline
        time.sleep(0.05)
