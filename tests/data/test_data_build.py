"""Data sets built from sources: what is in them, what is dropped, what is kept for the next run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_sets import lines, png, tone, write

from kuamo.data.build import Plan, build
from kuamo.data.checks import AMONG as AMONG_CHECKS
from kuamo.data.report import Report
from kuamo.data.sources.fields import Fields
from kuamo.data.split import Split
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits

CAPTIONS = "".join(lines({"image": f"{n % 40}.png", "text": f"picture number {n}", "id": n}) for n in range(120))
AMONG: dict[str, dict[str, Any]] = {name: {} for name in AMONG_CHECKS}
PICTURES: dict[str, bytes | str] = {f"{n}.png": png(n) for n in range(40)}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "source", {"a.jsonl": CAPTIONS, **PICTURES})


def made(source: Path, out: Path, processes: int = 1, **options: Any) -> Report:
    return build(Plan(source=source, out=out, **options), processes).result()


def content(out: Path) -> dict[str, bytes]:
    """Return the files of a data set, without what is kept for the next run."""
    files = (file for file in out.rglob("*") if file.is_file() and ".kuamo" not in file.parts)
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def reasons(report: Report) -> dict[str, int]:
    return {code: reason.count for code, reason in report.reasons.items()}


def test_load_from_disk_opens_it(source: Path, tmp_path: Path) -> None:
    import datasets

    report = made(source, tmp_path / "out", licence="CC BY 4.0")
    loaded = datasets.load_from_disk(str(tmp_path / "out"))
    assert {name: len(rows) for name, rows in loaded.items()} == dict(report.splits)
    assert set(loaded) == {"train", "validation"}
    assert loaded["train"].info.license == "CC BY 4.0"
    texts = {row["text"]: row["images"][0].size for rows in loaded.values() for row in rows}
    assert texts == {f"picture number {n}": (16, 16) for n in range(120)}
    stored = loaded.cast_column("images", datasets.List(datasets.Image(decode=False)))
    paths = {name: {image["path"] for row in rows for image in row["images"]} for name, rows in stored.items()}
    assert not paths["train"] & paths["validation"]
    assert len(list((tmp_path / "out" / "media").rglob("*.png"))) == 40


@pytest.mark.parametrize("rows", [0, 1])
def test_a_split_without_rows_can_be_opened(tmp_path: Path, rows: int) -> None:
    import datasets

    source = write(tmp_path / "source", {"a.jsonl": lines({"image": "1.png", "text": "the only row"}), "1.png": png(1)})
    made(source, tmp_path / "out", split=Split((0, 0, 1)), checks={"text_length": {"least": 99}} if rows == 0 else {})
    loaded = datasets.load_from_disk(str(tmp_path / "out"))
    assert {name: len(split) for name, split in loaded.items()} == {"train": 0, "validation": 0, "test": rows}
    assert loaded["train"].features == loaded["test"].features


def test_sounds_and_their_speakers(tmp_path: Path) -> None:
    import datasets

    spoken = [{"audio": f"{n}.wav", "text": "hello", "speaker": f"speaker {n % 6}"} for n in range(24)]
    files = {"a.jsonl": lines(*spoken), **{f"{n}.wav": tone(200 + n) for n in range(24)}}
    made(write(tmp_path / "source", files), tmp_path / "out", split=Split((1, 1), 3))
    loaded = datasets.load_from_disk(str(tmp_path / "out")).cast_column("audio", datasets.Audio(decode=False))
    speakers = {name: set(rows["group"]) for name, rows in loaded.items()}
    assert speakers["train"] | speakers["validation"] == {f"speaker {n}" for n in range(6)}
    assert not speakers["train"] & speakers["validation"]
    first = loaded["train"][0]["audio"]["path"]
    assert Path(first).read_bytes() in files.values()


def test_every_drop_has_its_reason_and_its_place(tmp_path: Path) -> None:
    rows: list[Any] = [
        {"image": "1.png", "text": "a good row", "id": 1},
        {"image": "none.png", "text": "missing picture"},
        {"image": "cut.jpg", "text": "a picture that is cut off"},
        {"image": "1.txt", "text": "not a picture"},
        {"image": "../1.png", "text": "outside of the source"},
        {"text": "a row of text alone"},
        {"image": "1.png", "text": "four"[:4]},
        {"image": "1.png", "text": "x" * 20_001},
        {"image": "1.png"},
        {"image": "1.png", "question": "why?"},
        {"image": "1.png", "text": "a good row"},
        {"image": "2.png", "text": "another good row", "id": 1},
        {"audio": "empty.wav", "text": "an empty sound"},
        {"image": "1.png", "messages": [{"role": "user", "content": "<image> <image>"}]},
        {"image": "2.png", "text": "the last good row"},
    ]
    import io

    import PIL.Image

    jpeg = io.BytesIO()
    PIL.Image.effect_noise((64, 64), 60).save(jpeg, "JPEG")
    media = {"1.png": png(1), "2.png": png(2), "1.txt": "x", "empty.wav": b"", "cut.jpg": jpeg.getvalue()[:-300]}
    report = made(write(tmp_path / "source", {"a.jsonl": lines(*rows) + '{"image', **media}), tmp_path / "out")
    assert reasons(report) == {
        "file_not_found": 1, "image_damaged": 1, "not_an_image": 1, "outside_source": 1, "no_media": 1,
        "text_too_short": 1, "text_too_long": 1, "no_text": 1, "half_a_question": 1, "duplicate": 1, "duplicate_id": 1,
        "file_empty": 1, "image_marks": 1, "line_damaged": 1,
    }  # fmt: skip
    assert (report.rows, report.kept) == (16, 2)
    dropped = [json.loads(line) for line in (tmp_path / "out" / "dropped.jsonl").read_text("utf-8").splitlines()]
    assert [one["line"] for one in dropped] == [*range(2, 15), 16]
    assert dropped[0]["en"] == "There is no file none.png."
    assert dropped[9]["values"] == {"first": "a.jsonl:1"}
    told = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert told["dropped"]["image_damaged"]["examples"][0]["file"] == "a.jsonl"
    assert told["kept"] == sum(told["splits"].values()) == 2


def test_a_row_that_goes_takes_no_other_with_it(tmp_path: Path) -> None:
    rows = [("1", 1, "first"), ("1", 2, "second"), ("2", 2, "second"), ("3", 2, "second"), ("3", 3, "third")]
    files = {f"{n}.png": png(n) for n in (1, 2, 3)}
    table = lines(*({"id": name, "image": f"{picture}.png", "text": text} for name, picture, text in rows))
    report = made(write(tmp_path / "source", {"a.jsonl": table, **files}), tmp_path / "out", checks=AMONG)
    assert (report.kept, reasons(report)) == (3, {"duplicate_id": 1, "duplicate": 1})


def test_checks_have_options_and_can_be_left_out(source: Path, tmp_path: Path) -> None:
    report = made(source, tmp_path / "out", checks={"media_decode": {}, "text_length": {"least": 17}})
    assert reasons(report) == {"text_too_short": 10}
    assert made(source, tmp_path / "out", checks={}).kept == 120


def test_the_result_is_the_same_in_any_number_of_processes(source: Path, tmp_path: Path) -> None:
    one = made(source, tmp_path / "out")
    before = content(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    three = made(source, tmp_path / "out", 3)
    assert content(tmp_path / "out") == before
    assert one.fingerprint == three.fingerprint
    assert made(source, tmp_path / "other").fingerprint == one.fingerprint


def test_a_changed_source_costs_what_changed(source: Path, tmp_path: Path) -> None:
    from kuamo.data import build as module

    out = tmp_path / "out"
    big = "".join(lines({"image": f"{n % 40}.png", "text": f"picture number {n}", "id": n}) for n in range(2000))
    (source / "a.jsonl").write_text(big)
    made(source, out)
    checked = {file.name for file in (out / module.CHECKED).iterdir()}
    (source / "a.jsonl").write_text(lines({"image": "3.png", "text": "a new first row"}) + big)
    assert made(source, out).kept == 2001
    again = {file.name for file in (out / module.CHECKED).iterdir()}
    assert len(again - checked) == 1
    assert len(checked) > 8
    updated = content(out)
    shutil.rmtree(out)
    made(source, out)
    assert content(out) == updated


def test_what_is_gone_from_the_source_is_gone_from_the_result(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(source, out, formats=("datasets", "llava"))
    (source / "a.jsonl").write_text(lines({"image": "3.png", "text": "the only row"}))
    report = made(source, out, formats=("messages",))
    assert report.kept == 1
    assert len(list((out / "media").rglob("*.png"))) == 1
    assert {path for path in content(out) if not path.startswith("media/")} == {
        "report.json", "provenance.json", "dropped.jsonl", "messages-train.jsonl", "messages-validation.jsonl"
    }  # fmt: skip
    assert report.notes == [("empty_split", {"split": "validation" if report.splits["train"] else "train"})]


FORMS = {
    "messages": "messages-train.jsonl",
    "llava": "llava-train.json",
    "webdataset": "webdataset",
    "folder": "folder",
}


@pytest.mark.parametrize(("form", "place"), FORMS.items())
def test_each_form_is_read_back_as_the_same_rows(tmp_path: Path, form: str, place: str) -> None:
    rows = [{"image": f"{n}.png", "question": f"What is {n}?", "answer": f"picture {n}"} for n in range(30)]
    source = write(tmp_path / "source", {"a.jsonl": lines(*rows), **PICTURES})
    made(source, tmp_path / "out", formats=(form,), split=Split((1,)))
    report = made(tmp_path / "out" / place, tmp_path / "again", split=Split((1,)), formats=("messages",))
    assert (report.kept, reasons(report)) == (30, {})
    made(source, tmp_path / "direct", split=Split((1,)), formats=("messages",))

    def said(out: Path) -> set[str]:
        told = [json.loads(line) for line in (out / "messages-train.jsonl").read_text("utf-8").splitlines()]
        return {json.dumps([one["messages"], one["images"]]) for one in told}

    assert said(tmp_path / "again") == said(tmp_path / "direct")


@pytest.mark.parametrize(("builder", "column"), [("imagefolder", "image"), ("webdataset", "png")])
def test_hugging_face_reads_the_other_forms(
    source: Path, tmp_path: Path, builder: str, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_UPDATE_DOWNLOAD_COUNTS", False)
    out = tmp_path / "out"
    report = made(source, out, formats=("folder", "webdataset"))
    where = {
        "imagefolder": {"data_dir": f"{out}/folder/train"},
        "webdataset": {"data_files": f"{out}/webdataset/train-*"},
    }
    rows = datasets.load_dataset(builder, **where[builder], split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == report.splits["train"]
    assert rows[0][column].size == (16, 16)


def test_captions_and_transcripts_become_conversations(tmp_path: Path) -> None:
    rows = [
        {"image": "1.png", "caption_zh": "一只红色的猫", "caption_en": "a red cat"},
        {"audio": "1.wav", "text": "hello"},
    ]
    source = write(tmp_path / "source", {"a.jsonl": lines(*rows), "1.png": png(1), "1.wav": tone(440)})
    made(source, tmp_path / "out", formats=("messages",), split=Split((1,)))
    told = [json.loads(line) for line in (tmp_path / "out" / "messages-train.jsonl").read_text("utf-8").splitlines()]
    assert [[turn["content"] for turn in one["messages"]] for one in told] == [
        ["<image>\n描述一下这张图片。", "一只红色的猫"],
        ["<image>\nDescribe the picture.", "a red cat"],
        ["Write down what is said.", "hello"],
    ]
    assert told[2]["audios"][0].endswith(".wav")


def test_where_it_comes_from_is_written_down(source: Path, tmp_path: Path) -> None:
    write(source, {"LICENSE": "Do what you like."})
    report = made(source, tmp_path / "out", fields=Fields({"text": "text"}), licence="CC0")
    told = json.loads((tmp_path / "out" / "provenance.json").read_text("utf-8"))
    assert told["fingerprint"] == report.fingerprint
    assert told["source"]["licence"] == "CC0"
    assert told["source"]["terms"][0]["file"] == "LICENSE"
    assert told["split"] == {"shares": [9, 1], "seed": 42, "rows": dict(report.splits)}
    assert told["versions"]["datasets"]


def test_the_limits_of_media_hold(source: Path, tmp_path: Path) -> None:
    report = made(source, tmp_path / "out", limits=Limits(megapixels=0.0001))
    assert reasons(report) == {"image_too_large": 120}
    assert (report.kept, report.notes) == (0, [("nothing_kept", {})])
    assert made(source, tmp_path / "out").kept == 120


def test_what_cannot_be_built_is_told(source: Path, tmp_path: Path) -> None:
    write(tmp_path / "searched", {"photo.png": png(1), ".kuamo/index/x": b""})
    with pytest.raises(KuamoError, match="other files"):
        made(source, tmp_path / "searched")
    write(tmp_path / "full", {"mine.txt": "x"})
    with pytest.raises(KuamoError, match="other files"):
        made(source, tmp_path / "full")
    with pytest.raises(KuamoError, match="datasets, messages"):
        made(source, tmp_path / "out", formats=("parquet",))
    with pytest.raises(KuamoError, match="does not exist"):
        made(source, tmp_path / "out", kind="tables")
    with pytest.raises(KuamoError, match="no rows"):
        made(write(tmp_path / "empty", {"a.jsonl": ""}), tmp_path / "out")
    assert not (tmp_path / "out" / "report.json").exists()


def test_two_builds_of_one_folder_do_not_meet(source: Path, tmp_path: Path) -> None:
    first = build(Plan(source=source, out=tmp_path / "out"), 1)
    with pytest.raises(KuamoError, match="already"):
        build(Plan(source=source, out=tmp_path / "out"), 1)
    assert first.result().kept == 120


def test_media_changed_under_way_are_told(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kuamo.data import build as module

    def judge(*given: Any) -> Any:
        (source / "3.png").write_bytes(png(77))
        return original(*given)

    original = module._judge
    monkeypatch.setattr(module, "_judge", judge)
    with pytest.raises(KuamoError, match=r"3\.png was changed"):
        made(source, tmp_path / "out", 2)
