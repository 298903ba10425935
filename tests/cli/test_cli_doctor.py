"""`kuamo doctor`: what works here, found out by trying."""

import json

import pytest

from kuamo.cli import trials
from kuamo.cli.machine import MACHINE

BOX = ("read", "speak", "transcribe", "align", "detect")
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_TOKEN": "hf_secret", "LANG": "zh_CN.UTF-8"}


def test_every_engine_in_the_box_is_tried_and_works(program) -> None:
    done = program("doctor", "--json", **OFFLINE)
    report = json.loads(done.stdout)
    assert (done.returncode, report["healthy"]) == (0, True), report
    checks = {check["name"]: check for check in report["checks"]}
    assert len(checks) >= len(MACHINE) + len(BOX)
    assert all(checks[name]["state"] == "ok" for name in BOX), checks
    assert trials.NUMBER in checks["read"]["detail"]
    assert "three" in checks["align"]["detail"]
    assert "HF_HUB_OFFLINE=1" in checks["模型库"]["detail"]
    assert "hf_secret" not in done.stdout


def test_what_is_broken_is_told_and_is_exit_1(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    def collapse(*_: object) -> None:
        raise OSError("libonnx.so is gone")

    for name in MACHINE:
        monkeypatch.setitem(MACHINE, name, lambda session: ("ok", "fine"))
    for name in BOX:
        monkeypatch.setitem(trials.TRIALS, name, lambda models: (True, "fine"))
    monkeypatch.setitem(trials.TRIALS, "read", collapse)
    monkeypatch.setitem(trials.TRIALS, "speak", lambda models: (False, "silence"))
    done = kuamo("doctor")
    assert done.exit_code == 1
    assert "broken read: OSError: libonnx.so is gone." in done.stdout
    assert "broken speak: espeak runs, but its result 'silence' is wrong" in done.stdout
    assert "ok     detect: silero-vad: fine" in done.stdout


def test_where_models_come_from_is_told_without_asking_there(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "https://mirror.example")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    assert "downloads from https://mirror.example" in kuamo("doctor").stdout
