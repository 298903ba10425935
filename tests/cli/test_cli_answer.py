"""`kuamo ask`: real pictures, real reading."""

import json
from pathlib import Path

import pytest

import screens


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


def test_without_a_model_that_sees_the_command_to_get_one_is_told(kuamo, data: Path) -> None:
    done = kuamo("ask", data / "images" / "cheetah.jpg", "what is it?", "--profile", "nano")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("The profile 'nano' has no model for 'answer'. Get one: kuamo models pull ")
    assert done.stderr.count("\n") == 1
