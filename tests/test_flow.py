"""The house's flow is one way, and every sentence exists in both languages."""

import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

from kuamo.errors import KuamoError
from kuamo.messages import language_of, say, table

SOURCE = Path(__file__).parents[1] / "src" / "kuamo"


def test_imports_point_one_way() -> None:
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, cwd=SOURCE.parents[1]
    )
    assert "0 broken" in result.stdout, result.stdout + result.stderr
    assert "Analyzed" in result.stdout


def test_importing_kuamo_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'diffusers', 'gradio', 'fastapi', 'onnxruntime', 'av', 'numpy'}"
    code = f"import sys, kuamo, kuamo.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def placeholders(sentence: str) -> set[str]:
    return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", sorted(table()))
def test_each_sentence_says_the_same_in_both_languages(key: str) -> None:
    row = table()[key]
    assert row["en"]
    assert row["zh"]
    assert placeholders(row["en"]) == placeholders(row["zh"])
    assert ("hint_en" in row) == ("hint_zh" in row)
    assert placeholders(row.get("hint_en", "")) == placeholders(row.get("hint_zh", ""))
    assert re.search(r"[一-鿿]", row["zh"]) or row["zh"] == row["en"]
    if key.startswith("error."):
        assert 400 <= row["status"] < 600


def test_each_error_raised_has_its_sentence_and_each_sentence_its_error() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))
    raised = set(re.findall(r'KuamoError\(\s*"(\w+)"', text))
    written = {key.removeprefix("error.") for key in table() if key.startswith("error.")}
    assert len(raised) > 20
    assert raised <= written
    assert {code for code in written if f'"{code}"' not in text} == set()


def test_an_error_is_one_line_in_the_users_language() -> None:
    error = KuamoError("model_not_downloaded", name="a/b")
    assert error.line("en") == "The model a/b is not on this machine. Get it: kuamo models pull a/b"
    assert error.line("zh") == "本机没有模型 a/b。下载命令：kuamo models pull a/b"
    with pytest.raises(KeyError):
        KuamoError("no_such_sentence")


@pytest.mark.parametrize(
    ("tags", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("zh_CN.UTF-8", "zh"), ("en-GB", "en"), ("", "en"), (None, "en")],
)
def test_the_language_is_the_first_asked_for(tags: str | None, language: str) -> None:
    assert language_of(tags) == language
    assert say("error.text_empty", language_of(tags))
