"""`kuamo speak`: text to a sound file, or to the loudspeaker."""

import json
from pathlib import Path

import numpy as np
import pytest

from kuamo.media.audio import WRITABLE, read_audio
from kuamo.media.limits import Limits


@pytest.mark.parametrize("ending", WRITABLE)
def test_each_kind_of_file_is_written_and_can_be_read(ending: str, kuamo) -> None:
    file = Path(f"天气.{ending}")
    done = kuamo("speak", "今天天气晴朗", "-o", file)
    assert done.exit_code == 0
    assert "espeak" in done.stderr
    sound = read_audio(file, Limits())
    assert 0.5 < sound.seconds < 5
    assert np.abs(sound.samples).max() > 0.05
    assert list(Path().iterdir()) == [file]


def test_json_tells_words_times_and_source(kuamo) -> None:
    done = kuamo("speak", "good morning", "--out", "a.wav", "--json")
    shown = json.loads(done.stdout)
    assert (done.exit_code, shown["status"], shown["path"]) == (0, "success", "a.wav")
    assert [word["text"] for word in shown["words"]] == ["good", "morning"]
    assert shown["audio"]["seconds"] == round(read_audio(Path("a.wav"), Limits()).seconds, 3)
    assert shown["traces"][0]["model"] == "espeak"


def test_text_is_read_from_stdin(kuamo) -> None:
    shown = json.loads(kuamo("speak", "-", "-o", "a.wav", "--json", stdin="one two three").stdout)
    assert [word["text"] for word in shown["words"]] == ["one", "two", "three"]


def test_faster_is_shorter(kuamo) -> None:
    def seconds(speed: int) -> float:
        shown = kuamo("speak", "one two three", "-o", "a.wav", "--speed", speed, "--json").stdout
        return float(json.loads(shown)["audio"]["seconds"])

    assert seconds(2) < seconds(1) * 0.7


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("hi", "-o", "a.xyz"), "a.xyz does not say what kind of file to write. End it in one of: .wav, .flac, .mp3,"),
        (("hi", "-o", "a"), "a does not say"),
        (("hi", "-o", "absent/a.wav"), "absent/a.wav cannot be written: No such file or directory."),
        ((" \n", "-o", "a.wav"), "There is no text to work on."),
        (("x" * 20_001, "-o", "a.wav"), "20001 characters; the limit is 20000"),
        (("hi", "-o", "a.wav", "--speed", "9"), "speed is 9.0; it must be from 0.25 to 4"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_and_leaves_no_file(arguments: tuple[str, ...], line: str, kuamo) -> None:
    done = kuamo("speak", *arguments)
    assert done.exit_code == 2
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not list(Path().iterdir())


def test_a_folder_is_not_overwritten(kuamo) -> None:
    Path("a.wav").mkdir()
    done = kuamo("speak", "hi", "-o", "a.wav")
    assert (done.exit_code, done.stderr) == (2, "a.wav cannot be written: Is a directory.\n")
