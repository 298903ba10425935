"""`kuamo transcribe` and `kuamo align`: words with times, in each format."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pysubs2
import pytest
import soundfile
from praatio import textgrid

from kuamo.capabilities.timing import FORMATS
from kuamo.cli.transcribe import LONG_SECONDS
from kuamo.media.audio import read_audio
from kuamo.media.limits import Limits
from openai_server import openai_server

SPOKEN = "one two three"


@pytest.fixture
def recording(kuamo) -> Path:
    """Three numbers spoken by the synthesiser, in a file."""
    file = Path("录音.wav")
    assert kuamo("speak", SPOKEN, "-o", file, "--speed", "0.8").exit_code == 0
    return file


def test_json_tells_words_within_the_recording(recording: Path, kuamo) -> None:
    shown = json.loads(kuamo("transcribe", recording, "--json").stdout)
    words = [word for segment in shown["segments"] for word in segment["words"]]
    assert shown["status"] == "success"
    assert words
    ends = [0.0, *(second for word in words for second in (word["start_seconds"], word["end_seconds"]))]
    assert ends == sorted(ends)
    assert ends[-1] <= round(read_audio(recording, Limits()).seconds, 3)
    assert shown["traces"][0]["model"] == "pocketsphinx"


def test_a_video_is_heard_by_its_sound_track(kuamo, data: Path) -> None:
    done = kuamo("transcribe", data / "video" / "world.mp4", "--json")  # music and noise
    assert json.loads(done.stdout)["error"]["code"] == "heard_nothing"


def test_a_server_writes_down_with_exact_times(recording: Path, kuamo) -> None:
    with openai_server() as server:
        model = f"transcribe={server.url}#words"
        printed = kuamo("transcribe", recording, "--model", model)
        shown = json.loads(kuamo("transcribe", recording, "--model", model, "--json").stdout)
    assert shown["words"][0] == {"start_seconds": 0.0, "end_seconds": 0.5, "text": "w0", "score": None}
    assert shown["words"] == [word for segment in shown["segments"] for word in segment["words"]]
    assert "0.000     0.500  w0\n" in printed.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_offered_and_written(form: str, recording: Path, kuamo) -> None:
    printed = kuamo("align", recording, SPOKEN, "--format", form)
    assert printed.exit_code == 0
    file = Path(f"out.{form}")
    written = kuamo("align", recording, SPOKEN, "-f", form, "-o", file)
    assert (written.exit_code, written.stdout) == (0, "")
    assert f"Wrote {file}" in written.stderr
    assert file.read_text(encoding="utf-8").rstrip("\n") == printed.stdout.rstrip("\n")


def test_subtitles_and_text_grids_are_read_by_their_tools(recording: Path, kuamo) -> None:
    for form in ("srt", "vtt"):
        kuamo("align", recording, SPOKEN, "-f", form, "-o", f"a.{form}")
        text = " ".join(line.plaintext for line in pysubs2.load(f"a.{form}"))
        assert "three" in text
    kuamo("align", recording, SPOKEN, "-f", "textgrid", "-o", "a.TextGrid")
    grid = textgrid.openTextgrid("a.TextGrid", includeEmptyIntervals=False)
    labels = [entry.label for name in grid.tierNames for entry in grid.getTier(name).entries]
    assert all(word in labels for word in SPOKEN.split())


def test_each_word_of_a_text_is_timed(recording: Path, kuamo) -> None:
    Path("words.txt").write_text("\ufeff" + SPOKEN, encoding="utf-8")
    by_argument = json.loads(kuamo("align", recording, SPOKEN, "--json").stdout)
    by_file = json.loads(kuamo("align", recording, "--text-file", "words.txt", "--json").stdout)
    assert [word["text"] for word in by_argument["words"]] == SPOKEN.split()
    assert by_file["words"] == by_argument["words"]


def test_json_beside_a_file_tells_both(recording: Path, kuamo) -> None:
    done = kuamo("align", recording, SPOKEN, "-f", "srt", "-o", "a.srt", "--json")
    assert json.loads(done.stdout)["words"]
    assert "-->" in Path("a.srt").read_text(encoding="utf-8")


def test_a_long_recording_shows_its_progress_in_a_terminal(recording: Path) -> None:
    spoken = read_audio(recording, Limits())
    silence = np.zeros(LONG_SECONDS * spoken.sample_rate_hz, np.float32)
    soundfile.write("long.wav", np.concatenate([spoken.samples, silence]), spoken.sample_rate_hz)
    terminal, end = pty.openpty()
    program = Path(sys.executable).with_name("kuamo")
    subprocess.run([program, "transcribe", "long.wav", "-o", "a.txt"], stderr=end, check=True)
    os.close(end)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "Writing down  [" in shown
    assert "Wrote a.txt" in shown


def test_a_place_that_cannot_be_written_is_told_before_the_work(recording: Path, kuamo) -> None:
    done = kuamo("transcribe", recording, "-o", "absent/a.srt")
    assert (done.exit_code, done.stderr) == (2, "absent/a.srt cannot be written: No such file or directory.\n")


def test_a_text_that_was_not_said_is_doubted(kuamo, data: Path) -> None:
    said = "unless a system is established for the frequent formal review of activities thereunder"
    other = "bananas grow slowly under purple umbrellas while seven dolphins juggle frozen lemons"
    recording = data / "speech" / "LJ050-0131.wav"
    assert "may not be what was said" in kuamo("align", recording, other).stderr
    true = kuamo("align", recording, f"{said}. in this regard")
    assert "may not be what was said" not in true.stderr
