"""The small world and the scores of an engine, from the command line."""

import json
from collections.abc import Callable
from pathlib import Path


def test_a_sample_is_written_and_a_checkpoint_scored_on_it(
    kuamo, tmp_path: Path, checkpoint: Callable[[str], Path]
) -> None:
    done = kuamo("world", "sample", 1, "--seed", 3, "--out", tmp_path / "样本", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["pictures"] == 1
    model = f"answer={checkpoint('llava')}"
    done = kuamo("eval", "answer", tmp_path / "样本", "--model", model, "--json")
    assert done.exit_code == 0, done.stderr
    scores = json.loads(done.stdout)
    assert 0 <= scores["exact_match"] <= 1
    assert scores["questions"] == 12
    assert set(scores["by_language"]) == {"en", "zh"}


def test_chest_slices_come_with_the_word_that_they_are_a_phantom(kuamo, tmp_path: Path) -> None:
    for language, word in (("en", "no clinical use"), ("zh", "不得用于临床")):
        done = kuamo("world", "sample", 2, "--domain", "chest", "--out", tmp_path / "胸部", "--lang", language)
        assert done.exit_code == 0, done.stderr
        assert word in done.stderr
    row = json.loads((tmp_path / "胸部" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert set(row["scene"]) == {"level", "nodule", "seed"}
    assert kuamo("world", "sample", 1, "--domain", "brain", "--out", tmp_path / "x").exit_code == 2


def test_what_cannot_be_written_or_scored_is_told(kuamo, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert kuamo("world", "sample", 1, "--out", tmp_path / "file").exit_code == 2
    assert kuamo("world", "sample", 0, "--out", tmp_path / "x").exit_code == 2
    done = kuamo("eval", "answer", tmp_path)
    assert done.exit_code == 2
    assert "metadata.jsonl" in done.stderr
