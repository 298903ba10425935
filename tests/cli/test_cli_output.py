"""Results as plain values, and files that are whole or absent."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.cli.output import as_json, check_writable, plain
from kuamo.contracts import Answer, Line, Speech, Trace, Word
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio
from kuamo.media.files import write

TRACE = Trace("speak", "espeak", "package:espeakng_loader", "1.52", "cpu", "fp32", 0.12345)


def test_a_result_keeps_the_names_of_its_fields() -> None:
    answer = Answer("17.4.1", (Line("17.4.1", ((1.23456, 2.0), (3.0, 4.0)), 0.98765),), (TRACE,))
    assert plain(answer) == {
        "text": "17.4.1",
        "places": [{"text": "17.4.1", "corners": [[1.235, 2.0], [3.0, 4.0]], "score": 0.988}],
        "ending": None,
        "traces": [
            {
                "capability": "speak",
                "model": "espeak",
                "source": "package:espeakng_loader",
                "revision": "1.52",
                "device": "cpu",
                "precision": "fp32",
                "seconds": 0.123,
            }
        ],
    }


def test_a_sound_stands_as_its_length() -> None:
    speech = Speech(Audio(np.zeros(12_345, np.float32), 16_000), (Word(0.00049, 0.7719, "hi"),), ())
    shown = plain(speech)
    assert shown["audio"] == {"seconds": 0.772, "sample_rate_hz": 16_000}
    assert shown["words"] == [{"start_seconds": 0.0, "end_seconds": 0.772, "text": "hi", "score": None}]


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_any_text_and_number_comes_back_from_json(text: str, number: float) -> None:
    back = json.loads(as_json(text=text, number=number))
    assert back["text"] == text
    assert back["number"] == round(number, 3)


def test_a_file_written_is_whole_and_alone(tmp_path: Path) -> None:
    file = tmp_path / "语音.wav"
    file.write_bytes(b"old")
    write(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_interrupted_file_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.srt"
    file.write_bytes(b"old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("place", [".", "absent/a.txt", "file/a.txt"])
def test_a_place_that_cannot_be_written_is_told_before_and_after(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for attempt in (check_writable, lambda path: write(path, b"x")):
        with pytest.raises(KuamoError) as caught:
            attempt(tmp_path / place)
        assert caught.value.code == "cannot_write"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_device_is_written_not_replaced() -> None:
    write(Path(os.devnull), b"x")
    assert Path(os.devnull).is_char_device()
