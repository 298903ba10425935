"""`kuamo index` and `kuamo find`."""

import json
from pathlib import Path

import pytest

import colours
from colours import paint


@pytest.fixture(autouse=True)
def _colours() -> None:
    row = "\n".join(f"{name} = {json.dumps(value)}" for name, value in colours.ROW.items())
    Path("kuamo.toml").write_text(f"[[model]]\n{row}\n", encoding="utf-8")
    paint(Path("相册/红.png"), "red")
    paint(Path("相册/旅行/green.jpg"), "green")
    Path("相册/notes.png").write_text("not a picture")


def test_a_folder_is_indexed_and_searched(kuamo) -> None:
    done = kuamo("index", "相册")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "相册: 2 new, 0 changed, 0 removed, 0 as before\n"
    assert "notes.png: notes.png is not a picture that can be read." in done.stderr
    assert "colours · " in done.stderr
    found = kuamo("find", "红色", "--in", "相册", "--count", 1)
    assert (found.exit_code, found.stdout) == (0, "相册/红.png  1.000  8×6\n")
    found = kuamo("find", "相册/旅行/green.jpg", "--in", "相册")
    assert [line.split()[0] for line in found.stdout.splitlines()] == ["相册/旅行/green.jpg", "相册/红.png"]


def test_the_folder_is_the_one_you_are_in_if_none_is_named(kuamo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUAMO_CONFIG", str(Path("kuamo.toml").resolve()))
    monkeypatch.chdir("相册")
    assert kuamo("index", ".").exit_code == 0
    assert kuamo("find", "green").stdout.startswith("旅行/green.jpg ")


def test_everything_is_in_the_json(kuamo) -> None:
    first = json.loads(kuamo("index", "相册", "--json", "--lang", "zh").stdout)
    assert {name: first[name] for name in ("status", "added", "changed", "removed", "unchanged", "former")} == {
        "status": "success", "added": 2, "changed": 0, "removed": 0, "unchanged": 0, "former": None,
    }  # fmt: skip
    assert first["dropped"] == [
        {"path": "notes.png", "code": "not_an_image", "reason": "notes.png 不是可以读取的图片。"}
    ]
    assert first["traces"][0]["model"] == "colours"
    again = kuamo("index", "相册", "--json")
    assert json.loads(again.stdout)["unchanged"] == 2
    assert "colours" not in again.stderr  # no model was at work
    found = json.loads(kuamo("find", "red", "--in", "相册", "--json").stdout)
    assert found["hits"][0] == {"path": "相册/红.png", "score": 1.0, "width": 8, "height": 6}


def test_another_revision_is_told_and_begins_anew(kuamo) -> None:
    kuamo("index", "相册")
    file = Path("kuamo.toml")
    file.write_text(file.read_text(encoding="utf-8").replace('revision = "1"', 'revision = "2"'), encoding="utf-8")
    refused = kuamo("find", "red", "--in", "相册")
    assert refused.exit_code == 2
    assert refused.stderr == (
        "The index of 相册 was made by colours@1; the model in force is colours@2. "
        "Index anew: kuamo index '相册' --model embed=colours\n"
    )
    anew = kuamo("index", "相册", "--lang", "zh")
    assert anew.stdout == "相册：新增 2，更新 0，移除 0，未变 0\n"
    assert "原来的索引由 colours@1 建立" in anew.stderr
    assert kuamo("find", "red", "--in", "相册").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("find", "red", "--in", "相册"), "The pictures in 相册 are not indexed yet. Index them: kuamo index '相册'"),
        (("find", "red", "--in", "nowhere"), "There is no folder nowhere."),
        (("find", " ", "--in", "相册"), "There is no text to work on."),
        (("find", "red", "--count", "0"), "count is 0; it must be from 1 to 1000."),
        (("find", "cat.jpg"), "There is no file cat.jpg."),
        (("find", "相册/notes.png"), "notes.png is not a picture that can be read."),
        (("find", "x" * 5000), "The pictures in . are not indexed yet."),
        (("index", "nowhere"), "There is no folder nowhere."),
        (("index", "kuamo.toml"), "There is no folder kuamo.toml."),
        (("index", "empty"), "There are no pictures in empty."),
        (("serve", "--search", "nowhere"), "There is no folder nowhere."),
    ],
)
def test_a_fault_is_one_line(arguments: tuple[str, ...], line: str, kuamo) -> None:
    Path("empty").mkdir()
    done = kuamo(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_nothing_left_to_find_is_no_fault(kuamo) -> None:
    kuamo("index", "相册")
    for file in (Path("相册/红.png"), Path("相册/旅行/green.jpg")):
        file.unlink()
    found = kuamo("find", "red", "--in", "相册")
    assert (found.exit_code, found.stdout) == (0, "No picture is left in the index.\n")
    assert json.loads(kuamo("find", "red", "--in", "相册", "--json").stdout)["hits"] == []
