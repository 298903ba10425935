"""The small world as an image folder."""

import json
from pathlib import Path

import PIL.Image
import pytest

from kuamo.world.sample import DomainName, write_sample


@pytest.mark.parametrize("domain", ["scenes", "chest"])
def test_a_sample_is_an_image_folder_with_a_contact_sheet(tmp_path: Path, domain: DomainName) -> None:
    assert list(write_sample(11, 7, tmp_path / "样本", domain=domain)) == list(range(1, 12))
    rows = [
        json.loads(line) for line in (tmp_path / "样本" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(rows) == 11
    for row in rows:
        assert PIL.Image.open(tmp_path / "样本" / row["file_name"]).size == (64, 64)
        assert set(row) == {"file_name", "caption_zh", "caption_en", "scene", "questions"}
        assert {question["language"] for question in row["questions"]} == {"zh", "en"}
        assert all(set(question) == {"question", "answer", "kind", "language"} for question in row["questions"])
    assert PIL.Image.open(tmp_path / "样本" / "contact_sheet.png").size == (8 * 132 + 4, 2 * 132 + 4)


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        list(write_sample(3, seed, tmp_path / name))
    files = [path.name for path in sorted((tmp_path / "a").iterdir())]
    assert len(files) == 5
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "metadata.jsonl").read_bytes() != (tmp_path / "c" / "metadata.jsonl").read_bytes()


def test_a_chest_sample_says_what_each_slice_holds(tmp_path: Path) -> None:
    list(write_sample(12, 1, tmp_path, domain="chest"))
    rows = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {bool(row["scene"]["nodule"]) for row in rows} == {True, False}
    for row in rows:
        nodule = row["scene"]["nodule"]
        assert (f"{nodule['size_mm']} mm" in row["caption_en"]) if nodule else (row["caption_zh"] == "未见结节。")
