"""`kuamo data build`, from the command line."""

import io
import json
from pathlib import Path

import PIL.Image
import pytest


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "源"
    folder.mkdir()
    with (folder / "行.jsonl").open("w", encoding="utf-8") as table:
        for number in range(12):
            buffer = io.BytesIO()
            PIL.Image.new("RGB", (8, 8), (number * 9, 0, 0)).save(buffer, "PNG")
            (folder / f"{number}.png").write_bytes(buffer.getvalue())
            table.write(
                json.dumps({"photo": f"{number}.png", "title": f"图片编号第 {number} 张"}, ensure_ascii=False) + "\n"
            )
        table.write('{"photo": "/etc/hostname", "title": "not in the source"}\n{"photo"')
    return folder


def test_a_set_is_built_and_what_was_dropped_is_named(kuamo, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "集"
    done = kuamo("data", "build", source, "--out", out, "--fields", "image=photo,text=title", "--workers", 1)
    assert done.exit_code == 0, done.stderr
    assert "12 of 14 rows" in done.stdout
    assert "行.jsonl:13: /etc/hostname lies outside the source folder." in done.stderr
    assert "行.jsonl:14" in done.stderr
    assert (out / "dataset_dict.json").is_file()


def test_the_report_is_json_and_the_words_are_chinese(kuamo, source: Path, tmp_path: Path) -> None:
    words = ["data", "build", source, "-o", tmp_path / "集", "--fields", "image=photo,text=title", "--workers", 1]
    done = kuamo(*words, "--split", "8:1:1", "--format", "llava", "--json", "--lang", "zh")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["status"], told["kind"], told["rows"], told["kept"]) == ("success", "table", 14, 12)
    assert {code: reason["count"] for code, reason in told["dropped"].items()} == {
        "outside_source": 1,
        "line_damaged": 1,
    }
    assert "首个在 行.jsonl:13：/etc/hostname 在数据源文件夹之外。" in done.stderr


def test_what_cannot_be_built_is_told_in_one_line(kuamo, source: Path, tmp_path: Path) -> None:
    for words, told in (
        ([tmp_path / "nowhere", "--out", "x"], "no file or folder"),
        ([source, "--out", source], "other files"),
        ([source, "--out", "x", "--split", "a"], "9:1"),
        ([source, "--out", "x", "--fields", "colour=a"], "Roles"),
        ([source, "--out", "x", "--kind", "tables"], "speech-tree"),
        ([source, "--out", "x", "--media", tmp_path / "gone"], "gone"),
    ):
        done = kuamo("data", "build", *words)
        assert done.exit_code == 2
        assert told in done.stderr
        assert done.stderr.count("\n") == 1
    assert kuamo("data", "build", source).exit_code == 2
    assert kuamo("data").exit_code in (0, 2)
