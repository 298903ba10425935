"""Bad input: one clear line in the user's language, exit 2, nothing left on disk."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import soundfile

from kuamo.errors import KuamoError
from kuamo.messages import table

PROGRAM = Path(sys.executable).with_name("kuamo")
PICTURE_FAULTS = {
    "text.png": "text.png is not a picture that can be read.",
    "cut.png": "cut.png is damaged or cut off.",
    "empty.png": "empty.png is empty (0 bytes).",
    "huge.png": "huge.png has ",
    "bomb.png": "bomb.png is not a picture that can be read.",
    "absent.png": "There is no file absent.png.",
    "../absent.png": "There is no file absent.png.",
    "缺失.png": "There is no file 缺失.png.",
    "folder": "folder is a folder, not a file.",
    "x" * 300: f"{'x' * 300} cannot be read: File name too long.",
    "sound.wav": "sound.wav is not a picture that can be read.",
}
SOUND_FAULTS = {
    "text.wav": "text.wav is not a recording that can be read.",
    "empty.wav": "empty.wav is empty (0 bytes).",
    "picture.png": "picture.png ",
    "absent.wav": "There is no file absent.wav.",
    "../缺失.wav": "There is no file 缺失.wav.",
    "folder": "folder is a folder, not a file.",
}


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """Return a grey PNG with a header that says this size, and chunks."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


@pytest.fixture
def bad_files() -> None:
    """Put pictures and sounds with faults into the working folder."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save("picture.png")
    whole = Path("picture.png").read_bytes()
    Path("cut.png").write_bytes(whole[: len(whole) // 2])
    Path("huge.png").write_bytes(png(30_000, 30_000, chunk(b"IDAT", zlib.compress(bytes(1000)))))
    Path("bomb.png").write_bytes(png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(8_000_000)))))
    for name in ("empty.png", "empty.wav"):
        Path(name).touch()
    for name in ("text.png", "text.wav"):
        Path(name).write_text("not what its name says", encoding="utf-8")
    soundfile.write("sound.wav", np.zeros(16_000), 16_000)
    Path("folder").mkdir()


def assert_one_line(done, line: str) -> None:
    """Check that a run was refused with one line on stderr and nothing on stdout."""
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(line), done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("bad_files")
@pytest.mark.parametrize("name", PICTURE_FAULTS)
def test_a_bad_picture(name: str, kuamo) -> None:
    before = sorted(Path().rglob("*"))
    assert_one_line(kuamo("ask", name, "what is it?"), PICTURE_FAULTS[name])
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("bad_files")
@pytest.mark.parametrize("command", [("transcribe",), ("align",), ("talk",)])
@pytest.mark.parametrize("name", SOUND_FAULTS)
def test_a_bad_recording(name: str, command: tuple[str, ...], kuamo) -> None:
    before = sorted(Path().rglob("*"))
    words = ("hello",) if command == ("align",) else ()
    assert_one_line(kuamo(*command, name, *words, "--out", "out.wav"), SOUND_FAULTS[name])
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("bad_files")
def test_a_recording_of_silence(kuamo) -> None:
    assert_one_line(kuamo("talk", "sound.wav"), "I heard nothing")
    assert_one_line(kuamo("transcribe", "sound.wav"), "I heard nothing")


@pytest.mark.usefixtures("bad_files")
def test_a_question_too_long_or_empty(kuamo) -> None:
    line = "The text has 100000 characters; the limit is 20000."
    assert_one_line(kuamo("ask", "picture.png", "x" * 100_000), line)
    assert_one_line(kuamo("ask", "picture.png", "  "), "There is no text to work on.")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--model", "speak"), "--model speak is not of the form CAPABILITY=NAME."),
        (("--model", "speak="), "--model speak= is not"),
        (("--model", "=espeak"), "--model =espeak is not"),
        (("--model", "fly=espeak"), "The settings are not right: models.fly"),
        (("--model", "speak=nothing"), "There is no model nothing for 'speak'."),
        (("--model", "speak=rapidocr"), "There is no model rapidocr for 'speak'."),
        (("--profile", "huge"), "The settings are not right: profile: Input should be 'nano', 'small'"),
        (("--precision", "fp64"), "The settings are not right: precision"),
        (("--lang", "fr"), "The settings are not right: language"),
    ],
)
def test_a_bad_option(arguments: tuple[str, ...], line: str, kuamo) -> None:
    assert_one_line(kuamo("speak", "hi", "-o", "a.wav", *arguments), line)
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("profile = ", "Invalid value"),
        ("port = 'many'\nname = 1", "port: Input should be a valid integer"),
        ("[[model]]\nname = 'x'", "[[model]]: capabilities: Field required; engine: Field required"),
    ],
)
def test_a_bad_kuamo_toml(content: str, fault: str, kuamo) -> None:
    Path("kuamo.toml").write_text(content, encoding="utf-8")
    done = kuamo("speak", "hi", "-o", "a.wav")
    assert_one_line(done, "The settings are not right: ")
    assert fault in done.stderr


def test_a_fault_is_json_too_and_in_the_language_of_the_user(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    done = kuamo("speak", "你好", "-o", "a", "--json")
    error = KuamoError("unknown_ending", name="a", possible=".wav, .flac, .mp3, .ogg, .opus")
    assert done.exit_code == 2
    assert json.loads(done.stdout) == {
        "status": "error",
        "error": {"code": "unknown_ending", "message": error.message("zh"), "hint": error.hint("zh")},
    }
    assert done.stderr == error.line("zh") + "\n"
    assert kuamo("speak", "hi", "-o", "a", "--lang", "en").stderr == error.line("en") + "\n"


def test_a_faulty_setting_is_told_in_the_language_asked_for(kuamo) -> None:
    assert kuamo("speak", "hi", "--profile", "huge", "--lang", "zh").stderr.startswith("设置有误")


def test_a_terminal_without_unicode_is_no_reason_to_fail(program) -> None:
    done = program("speak", "你好", "-o", "a.xyz", "--lang", "zh", PYTHONIOENCODING="latin-1")
    assert done.returncode == 2
    assert done.stderr.startswith("\\u65e0\\u6cd5")
    shown = program("speak", "你好", "-o", "语音.wav", "--json", PYTHONIOENCODING="latin-1")
    assert "\\u8bed\\u97f3" in shown.stdout
    assert json.loads(shown.stdout)["path"] == "语音.wav"


def test_a_reader_that_goes_away_is_no_reason_to_complain() -> None:
    with subprocess.Popen([PROGRAM, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout
        assert run.stderr
        run.stdout.close()
        told = run.stderr.read()
    assert "Traceback" not in told
    assert "BrokenPipe" not in told


def test_ctrl_c_is_exit_130_and_leaves_nothing() -> None:
    arguments = [PROGRAM, "speak", "-", "-o", "a.wav"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr
        _wait_until_imported(run.pid)
        run.send_signal(signal.SIGINT)
        told = run.stderr.read()
    assert run.returncode == 130
    assert "Traceback" not in told
    assert not list(Path().iterdir())


def _wait_until_imported(process: int) -> None:
    """Wait until the program is past its imports and reads from its stdin (system call 0, descriptor 0)."""
    deadline = time.monotonic() + 60
    while not Path(f"/proc/{process}/syscall").read_text().startswith("0 0x0 "):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_our_own_faults_keep_their_traceback(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    from kuamo.capabilities import speak

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(speak, "clean_text", fail)
    with pytest.raises(ZeroDivisionError):
        kuamo("speak", "hi", "-o", "a.wav")


def test_talking_needs_a_microphone_or_something_said(kuamo) -> None:
    assert_one_line(kuamo("talk"), "There is no microphone to record from.")
    assert_one_line(kuamo("talk", "--text", " "), "There is no text to work on.")


def test_aligning_needs_words(kuamo) -> None:
    Path("gbk.txt").write_bytes("今天".encode("gbk"))
    assert_one_line(kuamo("align", "a.wav"), "TEXT is missing.")
    assert_one_line(kuamo("align", "a.wav", "--text-file", "gbk.txt"), "gbk.txt is not a text in UTF-8.")


def test_every_message_of_the_command_line_is_in_both_languages() -> None:
    rows = {key: row for key, row in table().items() if key.split(".")[0] in ("cli", "models", "doctor")}
    assert len(rows) > 40
    assert all(row["en"] and row["zh"] for row in rows.values())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everywhere")
def test_a_file_that_may_not_be_read(kuamo) -> None:
    Path("secret.png").write_bytes(b"x")
    Path("secret.png").chmod(0)
    assert_one_line(kuamo("ask", "secret.png", "what?"), "secret.png cannot be read: Permission denied.")
