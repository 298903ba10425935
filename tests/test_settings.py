"""Where settings come from, and that all their faults are told at once."""

from pathlib import Path

import pytest

from kuamo.errors import KuamoError
from kuamo.settings import Settings, hub_variables, interface_language

LANGUAGE_VARIABLES = ("KUAMO_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _bare_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*LANGUAGE_VARIABLES, "KUAMO_CONFIG", "KUAMO_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def test_flags_win_over_variables_over_the_file_over_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.read().profile == "nano"
    Path("kuamo.toml").write_text('profile = "small"\nport = 1\nidle_seconds = 1\n', encoding="utf-8")
    monkeypatch.setenv("KUAMO_PORT", "2")
    monkeypatch.setenv("KUAMO_IDLE_SECONDS", "2")
    settings = Settings.read(idle_seconds=3, host=None)
    assert (settings.profile, settings.port, settings.idle_seconds, settings.host) == ("small", 2, 3, "127.0.0.1")


def test_models_of_every_source_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("kuamo.toml").write_text('[models]\nspeak = "espeak"\nread = "file"\n', encoding="utf-8")
    monkeypatch.setenv("KUAMO_MODELS__READ", "variable")
    settings = Settings.read(models={"answer": "flag"})
    assert settings.models == {"answer": "flag", "read": "variable", "speak": "espeak"}


def test_one_limit_can_be_raised_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUAMO_LIMITS__MEGABYTES", "7")
    limits = Settings.read().limits
    assert (limits.megabytes, limits.characters) == (7, 20_000)


def test_another_file_is_named_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "设置.toml"
    other.write_text('language = "zh"\n', encoding="utf-8")
    monkeypatch.setenv("KUAMO_CONFIG", str(other))
    assert Settings.read().language == "zh"


def test_a_file_named_but_absent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUAMO_CONFIG", "absent.toml")
    with pytest.raises(KuamoError, match=r"absent\.toml"):
        Settings.read()


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("kuamo.toml").write_text('port = "many"\ncolour = "blue"\n', encoding="utf-8")
    monkeypatch.setenv("KUAMO_PRECISION", "fp64")
    with pytest.raises(KuamoError) as caught:
        Settings.read(profile="huge", models={"fly": "espeak"})
    assert caught.value.code == "bad_settings"
    line = caught.value.line("en")
    assert all(word in line for word in ("port", "colour", "precision", "profile", "models.fly"))
    assert "\n" not in line


@pytest.mark.parametrize("content", [b"profile = ", b"\xff\xfe\x00", b"= 1"])
def test_a_file_that_is_not_toml_is_told(content: bytes) -> None:
    Path("kuamo.toml").write_bytes(content)
    with pytest.raises(KuamoError, match="settings are not right"):
        Settings.read()


def test_a_variable_that_is_not_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUAMO_MODELS", "answer")
    with pytest.raises(KuamoError, match="models"):
        Settings.read()


@pytest.mark.parametrize(
    ("chosen", "variables", "language"),
    [
        (None, {}, "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "de_DE.UTF-8"}, "en"),
        (None, {"LANG": "en_GB.UTF-8", "LC_ALL": "zh_TW"}, "zh"),
        (None, {"LC_ALL": "", "LANG": "zh_CN"}, "zh"),
        (None, {"KUAMO_LANGUAGE": "zh", "LC_ALL": "en_US"}, "zh"),
        ("en", {"KUAMO_LANGUAGE": "zh"}, "en"),
        ("auto", {"KUAMO_LANGUAGE": "auto", "LANG": "zh_CN"}, "zh"),
    ],
)
def test_the_first_language_that_is_set_is_spoken(
    chosen: str | None, variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert interface_language(chosen) == language


def test_hub_variables_are_listed_without_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    found = hub_variables()
    assert found["HF_ENDPOINT"] == "https://mirror.example"
    assert "hf_secret" not in str(found)
