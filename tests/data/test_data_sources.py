"""Each kind of source on small real files, and what is wrong with them."""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_sets import lines, png, tone, write

from kuamo.data.row import Dropped, Fault, Row, Turn
from kuamo.data.sources import kind_of, read_rows
from kuamo.data.sources.fields import Fields
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.records import ENDINGS, read_records
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits


def codes(dropped: list[Dropped]) -> list[tuple[str, str]]:
    return [(str(one.where), one.fault.code) for one in dropped]


# --- tables


def test_lines_with_relative_media_are_found_by_the_usual_names(read) -> None:
    rows, dropped = read(
        "table",
        {
            "a.jsonl": lines(
                {"image_filename": "images/1.png", "text": "a red cat", "width": 16},
                {"image_path": "images/1.png", "question": "What is it?", "answer": "a cat", "id": 7},
                {"image": ["images/1.png", "images/1.png"], "caption": "two cats", "lang": "en"},
            ),
            "images/1.png": png(1),
        },
    )
    assert not dropped
    first, second, third = rows
    assert (first.text, first.extra, first.where.file, first.where.line) == ("a red cat", {"width": 16}, "a.jsonl", 1)
    assert first.images[0].image().width == 16
    assert len(first.id) == 16
    assert (second.id, second.question, second.answer, second.extra) == ("7", "What is it?", "a cat", {})
    assert (len(third.images), third.language) == (2, "en")


def test_fields_are_named_where_their_names_are_unusual(read) -> None:
    files = {"a.csv": "photo,title,note\n1.png,a cat,\n,no photo,x\n", "1.png": png(1)}
    rows, dropped = read("table", files, "image=photo,text=title")
    assert [(row.text, row.extra) for row in rows] == [("a cat", {})]
    assert codes(dropped) == [("a.csv:3", "field_absent")]
    for given_fields in ("image", "colour=a", "image=", "=a"):
        with pytest.raises(KuamoError, match="ROLE=FIELD"):
            Fields.parse(given_fields)


def test_what_is_damaged_in_lines_is_named_and_the_rest_read(read) -> None:
    good = lines({"image": "1.png", "text": "good one"}).encode()
    bad = [b"\xff\xfe{}\n", b'{"image": "1.p\n', b"[1]\n", b'{"text": "\\ud800"}\n', b"\n", b'{"image": 5}\n']
    rows, dropped = read("table", {"a.jsonl": good + b"".join(bad) + good + b'{"image"', "1.png": png(1)})
    assert [row.where.line for row in rows] == [1, 8]
    assert codes(dropped) == [
        ("a.jsonl:2", "line_not_text"),
        ("a.jsonl:3", "line_damaged"),
        ("a.jsonl:4", "line_damaged"),
        ("a.jsonl:5", "line_not_text"),
        ("a.jsonl:7", "field_unfit"),
        ("a.jsonl:9", "line_damaged"),
    ]
    assert all(one.fault.message("en") and one.fault.message("zh") for one in dropped)


def test_a_table_of_separated_values_keeps_its_good_rows(read) -> None:
    text = 'file_name,text\r\n1.png,"a, ""cat"""\r\n1.png\r\n1.png,"two\nlines"\r\n'
    rows, dropped = read("table", {"metadata.csv": b"\xef\xbb\xbf" + text.encode() + b"1.png,\xff\n", "1.png": png(1)})
    assert [row.text for row in rows] == ['a, "cat"', "two\nlines"]
    assert codes(dropped) == [("metadata.csv:3", "line_damaged"), ("metadata.csv:6", "line_not_text")]


def test_a_line_over_the_limit_is_passed_over(tmp_path: Path) -> None:
    file = write(tmp_path, {"a.jsonl": lines({"text": "x" * 5000}, {"text": "short"})}) / "a.jsonl"
    found = list(read_records(file, Limits(megabytes=0.001)))
    assert found == [(1, Fault("line_too_long", {"limit": 0.001})), (2, {"text": "short"})]


def test_parquet_holds_its_media(read, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pictures = [{"bytes": png(number), "path": None} for number in range(3)]
    table = pyarrow.table({"image": pictures, "text": ["one", "two", "three"], "when": [None, None, 1.5]})
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer)
    rows, dropped = read("table", {"a.parquet": buffer.getvalue(), "b.parquet": buffer.getvalue()[:-40]})
    assert [row.text for row in rows] == ["one", "two", "three"]
    assert rows[2].images[0].read() == png(2)
    assert rows[2].extra == {"when": 1.5}
    assert codes(dropped) == [("b.parquet:1", "rest_unreadable")]


ASKED, ANSWERED = {"role": "user", "content": "<image>\nHi"}, {"role": "assistant", "content": "Ho"}
IN_PARTS = {"role": "user", "content": [{"type": "image", "image": "1.png"}, {"type": "text", "text": "Hi"}]}
OF_LLAVA = [{"from": "human", "value": "<image>\nHi"}, {"from": "gpt", "value": "Ho"}]


@pytest.mark.parametrize(
    "record",
    [
        {"image": "1.png", "conversations": OF_LLAVA},
        {"images": ["1.png"], "messages": [ASKED, ANSWERED]},
        {"messages": [IN_PARTS, ANSWERED]},
    ],
)
def test_conversations_of_llava_sharegpt_and_messages_are_one(read, record: dict[str, Any]) -> None:
    files = {"train.json": json.dumps([record, {"conversations": [{"from": "tool", "value": 1}]}]), "1.png": png(1)}
    rows, dropped = read("table", files)
    assert rows[0].messages == (Turn("user", "<image>\nHi"), Turn("assistant", "Ho"))
    assert len(rows[0].images) == 1
    assert codes(dropped) == [("train.json:2", "field_unfit")]


def test_an_array_that_breaks_off_keeps_what_came_before(read) -> None:
    whole = json.dumps([{"image": "1.png", "text": f"number {n}"} for n in range(3)])
    rows, dropped = read("table", {"a.json": whole[:-30], "1.png": png(1)})
    assert [row.text for row in rows] == ["number 0", "number 1"]
    assert codes(dropped) == [("a.json:3", "rest_unreadable")]


def test_a_file_of_settings_is_no_table(read) -> None:
    settings = json.dumps({"features": {"image": "Image"}, "splits": ["train"]}, indent=2)
    rows, dropped = read("table", {"a.jsonl": lines({"image": "1.png", "text": "one"}), "info.json": settings})
    assert len(rows) == 1
    assert codes(dropped) == [("info.json:1", "not_rows")]


def test_a_nemo_manifest_names_stretches_of_recordings(read) -> None:
    record = {"audio_filepath": "a.wav", "text": "hi", "offset": 0.05, "duration": 0.1}
    files = {"manifest.json": lines(record, record | {"offset": -1}, {"audio_filepath": "a.wav", "text": "all"})}
    rows, dropped = read("table", files | {"a.wav": tone(440)})
    assert rows[0].audio.audio().seconds == pytest.approx(0.1)
    assert rows[1].audio.audio().seconds == pytest.approx(0.2)
    assert codes(dropped) == [("manifest.json:2", "field_unfit")]


def test_the_small_world_gives_a_row_for_each_caption_and_question(read, tmp_path: Path) -> None:
    from kuamo.world.sample import write_sample

    list(write_sample(2, 1, tmp_path / "source"))
    rows, dropped = read("table", {})
    assert not dropped
    assert len(rows) == 2 * (2 + 12)
    assert [row.language for row in rows[:2]] == ["zh", "en"]
    assert rows[2].question
    assert rows[2].answer
    assert rows[2].extra["kind"]
    assert len({row.id for row in rows}) == len(rows)


# --- the other kinds


def tar(members: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


MEMBERS = {
    "a/0.png": png(1), "a/0.txt": "第一张".encode(), "a/0.json": b'{"license": "cc0"}',
    "1.wav": tone(440), "1.json": b'{"text": "second", "lang": "en"}',
    "2.png": png(2), "2.txt": b"\xff", "3.png": b"", "3.txt": b"third",
}  # fmt: skip


@pytest.mark.parametrize(("name", "mode"), [("x.tar", "w"), ("x.tar.gz", "w:gz")])
def test_members_of_one_name_are_one_row(read, name: str, mode: str) -> None:
    rows, dropped = read("webdataset", {name: tar(MEMBERS, mode)})
    assert [(row.text, row.language, row.where.line) for row in rows] == [
        ("第一张", None, 1), ("second", "en", 2), ("third", None, 4)
    ]  # fmt: skip
    assert rows[0].images[0].image().width == 16
    assert rows[0].extra == {"key": "a/0", "license": "cc0"}
    assert rows[1].audio.audio().seconds == pytest.approx(0.2)
    with pytest.raises(KuamoError, match="empty"):
        rows[2].images[0].read()
    assert codes(dropped) == [(f"{name}:3", "line_not_text")]


def test_a_tar_that_breaks_off_keeps_what_came_before(read) -> None:
    whole = tar({"0.png": png(1), "0.txt": b"first", "1.png": png(2), "1.txt": b"second" * 400})
    rows, dropped = read("webdataset", {"x.tar": whole[: 512 * 8 + 100]})
    assert rows[0].text == "first"
    assert [code for _, code in codes(dropped)][-1] == "rest_unreadable"


def test_captions_of_coco(read) -> None:
    captions = {
        "info": {}, "images": [{"id": 3, "file_name": "003.jpg"}],
        "annotations": [{"id": 1, "image_id": 3, "caption": "a cat"}, {"id": 2, "image_id": 9, "caption": "a dog"}],
    }  # fmt: skip
    files = {"annotations/captions_val2017.json": json.dumps(captions), "val2017/003.jpg": png(1)}
    rows, dropped = read("coco", files)
    assert [(row.id, row.text, row.images[0].image().width) for row in rows] == [("1", "a cat", 16)]
    assert codes(dropped) == [("annotations/captions_val2017.json:2", "line_damaged")]


def test_trees_of_librispeech_and_aishell(read) -> None:
    rows, dropped = read(
        "speech-tree",
        {
            "19/198/19-198.trans.txt": "19-198-0000 HELLO THERE\n19-198-0001 NOT HERE\nnothing\n",
            "19/198/19-198-0000.wav": tone(440),
            "transcript/aishell_transcript.txt": "BAC1 广州市 房地产\n",
            "wav/S0002/BAC1.wav": tone(300),
        },
    )
    assert [(row.id, row.text, row.group) for row in rows] == [
        ("19-198-0000", "HELLO THERE", "19"), ("19-198-0001", "NOT HERE", "19"), ("BAC1", "广州市房地产", "S0002")
    ]  # fmt: skip
    assert rows[2].audio.audio().seconds == pytest.approx(0.2)
    with pytest.raises(KuamoError, match=r"no file 19/198/19-198-0001\.flac"):
        rows[1].audio.read()
    assert codes(dropped) == [("19/198/19-198.trans.txt:3", "line_damaged")]


def test_common_voice_takes_the_validated_clips(read) -> None:
    table = 'client_id\tpath\tsentence\tlocale\nspeaker1\tx.wav\tSie sagte "ja\tde\n'
    files = {f"de/{name}.tsv": table for name in ("train", "validated", "invalidated")}
    rows, dropped = read("common-voice", files | {"de/clips/x.wav": tone(440)})
    assert [(row.text, row.group, row.language) for row in rows] == [('Sie sagte "ja', "speaker1", "de")]
    assert rows[0].where.file == "de/validated.tsv"
    assert rows[0].audio.audio().seconds == pytest.approx(0.2)
    assert not dropped


def test_a_text_beside_a_sound_or_a_picture(read) -> None:
    files = {
        "a.wav": tone(440),
        "a.txt": "你好",
        "b/c.PNG": png(1),
        "b/c.txt": b"\xef\xbb\xbfa cat\n",
        "d.wav": tone(2),
    }
    rows, dropped = read("pairs", files | {"e.png": png(3), "e.txt": b"\xff\xff"})
    assert sorted((row.text, row.audio is None) for row in rows) == [("a cat", True), ("你好", False)]
    assert codes(dropped) == [("d.wav", "file_not_found"), ("e.png", "not_text")]


def test_subtitles_cut_the_sound(read) -> None:
    cue = "1\n00:00:00,050 --> 00:00:00,150\n<i>Hello</i>\nthere\n\n2\n00:00:09,000 --> 00:00:09,500\nlate\n"
    files = {"a.wav": tone(440), "a.en.srt": cue, "b.vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nalone\n"}
    rows, dropped = read("subtitles", files | {"c.wav": tone(3), "c.srt": "not subtitles"})
    assert [(row.text, row.language, row.group) for row in rows] == [
        ("Hello there", "en", "a.wav"),
        ("late", "en", "a.wav"),
    ]
    assert rows[0].audio.audio().seconds == pytest.approx(0.1)
    assert rows[0].audio.read()[:4] == b"RIFF"
    with pytest.raises(KuamoError, match="no sound"):
        rows[1].audio.read()
    assert codes(dropped) == [("b.vtt", "no_recording"), ("c.srt", "not_subtitles")]


def test_a_source_of_no_kind_or_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KuamoError, match="holds no data"):
        kind_of(Folder.of(write(tmp_path, {"a.xyz": "x"})))
    with pytest.raises(KuamoError, match="no file or folder"):
        Folder.of(tmp_path / "nowhere")


# --- what a row may name


def test_a_path_that_leads_outside_is_refused_and_named(read, tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/1.png": png(1), "source/real/1.png": png(2)})
    (tmp_path / "source" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "source" / "one.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    outside = [
        "../elsewhere/1.png",
        str(tmp_path / "elsewhere" / "1.png"),
        "link/1.png",
        "one.png",
        "/etc/passwd",
        "a\0b",
    ]
    inside = ["real/1.png", "./real/../real/1.png", str(tmp_path / "source" / "real" / "1.png"), "missing.png"]
    files = {"a.jsonl": lines(*({"image": name, "text": name} for name in [*outside, *inside]))}
    rows, dropped = read("table", files)
    assert [row.text for row in rows] == inside
    assert codes(dropped) == [(f"a.jsonl:{number}", "outside_source") for number in range(1, 7)]
    assert dropped[0].fault.values == {"name": "../elsewhere/1.png"}
    rows, dropped = read("table", files, also=(tmp_path / "elsewhere",))
    assert len(rows) == 8
    assert [one.fault.values["name"] for one in dropped] == ["/etc/passwd", "a\\0b"]


def test_hidden_files_links_to_folders_and_the_result_are_left_out(tmp_path: Path) -> None:
    row = lines({"image": "1.png", "text": "one"})
    write(tmp_path, {"a.jsonl": row, ".b.jsonl": row, ".c/c.jsonl": row, "out/d.jsonl": row})
    (tmp_path / "loop").symlink_to(tmp_path)
    folder = Folder.of(tmp_path, without=tmp_path / "out")
    assert [file.name for file in folder.files(*ENDINGS)] == ["a.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_file_name_that_is_no_text_is_named(read, tmp_path: Path) -> None:
    write(tmp_path / "source", {"a.jsonl": lines({"image": "1.png", "text": "one"})})
    Path(os.fsdecode(os.fsencode(tmp_path / "source") + b"/\xff.jsonl")).touch()
    rows, dropped = read("table", {})
    assert len(rows) == 1
    assert [one.fault.code for one in dropped] == ["name_not_text"]


# --- anything at all


USUAL = ("image", "audio", "file_name", "text", "caption_zh", "question", "answer", "conversations", "questions")
PARTS = (
    "conversations",
    "language",
    "id",
    "offset",
    "duration",
    "role",
    "content",
    "from",
    "value",
    "path",
    "bytes",
    "group",
)
NAMES_OR_TEXT = st.sampled_from((*USUAL, *PARTS)) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES_OR_TEXT, inner, max_size=4),
    max_leaves=12,
)


def check(folder: Folder, kind: str) -> None:
    for one in read_rows(folder, kind, Fields()):
        assert one.where.file
        if isinstance(one, Row):
            assert one.id
            json.dumps([one.texts, dict(one.extra), one.language, one.group], ensure_ascii=False).encode()
        else:
            assert one.fault.message("en")


@given(st.lists(st.dictionaries(NAMES_OR_TEXT, JSON, max_size=5), max_size=3), st.booleans())
def test_any_json_is_rows_or_faults(tmp_path_factory, records: list[dict[str, Any]], array: bool) -> None:
    folder = tmp_path_factory.mktemp("any")
    write(folder, {"a.json": json.dumps(records) if array else "".join(json.dumps(x) + "\n" for x in records)})
    check(Folder.of(folder), "table")


@given(st.binary(max_size=200), st.sampled_from(ENDINGS))
def test_any_bytes_are_rows_or_faults(tmp_path_factory, content: bytes, ending: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    check(Folder.of(write(folder, {f"a{ending}": content})), "table")


WHOLE = tar(MEMBERS)


@given(st.integers(0, len(WHOLE)), st.binary(max_size=40), st.sampled_from([".tar", ".tar.gz"]))
def test_any_damage_to_a_tar_is_rows_or_faults(tmp_path_factory, place: int, content: bytes, ending: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    write(folder, {f"a{ending}": WHOLE[:place] + content + WHOLE[place + len(content) :]})
    check(Folder.of(folder), "webdataset")


@given(st.text(st.sampled_from("1234567890:,.->\n WEBVTT{}<>a"), max_size=120), st.sampled_from([".srt", ".vtt"]))
def test_any_subtitles_are_rows_or_faults(tmp_path_factory, text: str, ending: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    check(Folder.of(write(folder, {f"a{ending}": text, "a.wav": b""})), "subtitles")


# --- many


def test_a_hundred_thousand_rows_are_listed_in_the_memory_of_a_thousand(tmp_path: Path) -> None:
    line = lines({"image": "1.png", "text": "a small red thing"})
    rows = read_rows(Folder.of(write(tmp_path, {"1.png": png(1), "a.jsonl": line * 100_000})), "table", Fields())
    used = [psutil.Process().memory_info().rss for number, _ in enumerate(rows, 1) if number % 1000 == 0]
    assert len(used) == 100
    assert max(used) < used[0] + 20_000_000  # kept, they would be 100 MB
