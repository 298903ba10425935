"""Answers are scored against truth; rows that cannot be used are named and lose nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Precision
from kuamo.errors import KuamoError
from kuamo.evaluation import evaluate_answers, normalised
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.sample import write_sample


class OneWord:
    """It says one word to every question, as a model does that does not look."""

    device = "cpu"
    precision = "none"

    def __init__(self, word: str) -> None:
        self.word = word

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision, **options: Any) -> Self:
        return cls(source)

    def answer(self, request: ChatRequest) -> Iterator[str]:
        assert request.messages[-1].images
        yield self.word


def models(word: str) -> Models:
    row = {
        "name": "one-word", "capabilities": ["answer"], "engine": f"{__name__}:OneWord", "source": f"package:{word}",
        "profiles": ["nano"],
    }  # fmt: skip
    settings = Settings.read(model=(row,), models={"answer": "one-word"})
    return Models(Catalogue.load(settings.model), settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    list(write_sample(12, 5, tmp_path))
    return tmp_path


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_score_is_the_share_of_true_answers(folder: Path) -> None:
    asked = [question for row in rows(folder) for question in row["questions"]]
    true = [question for question in asked if question["answer"] == "yes"]
    scores = evaluate_answers(folder, models(" Yes. ")).result()
    assert scores.questions == len(asked) > 100
    assert scores.exact_match == pytest.approx(len(true) / len(asked))
    assert scores.exact_match > 0
    assert scores.by_language["zh"] == 0
    assert scores.by_kind["colour"] == 0
    assert scores.by_kind["yes_no"] > 0
    assert scores.dropped == ()
    assert scores.traces[0].model == "one-word"


def test_rows_that_cannot_be_used_are_named_and_the_others_counted(folder: Path) -> None:
    good = rows(folder)
    bad = [
        '{"file_name": "gone.png", "questions": [{"question": "what?", "answer": "cat"}]}',
        '{"file_name": "../outside.png", "questions": []}',
        '{"file_name": "000000.png", "questions": [{"question": "what?", "answer": ""}]}',
        '{"file_name": "000000.png"}',
        "[1, 2]",
        '{"half',
        '{"file_name": "空.png", "questions": [{"question": "什么?", "answer": "猫"}]}',
    ]
    (folder / "空.png").touch()
    with (folder / "metadata.jsonl").open("a", encoding="utf-8") as table:
        table.write("\n".join(bad))
    scores = evaluate_answers(folder, models("cat")).result()
    assert scores.questions == sum(len(row["questions"]) for row in good)
    assert len(scores.dropped) == len(bad)
    assert scores.dropped[0].startswith("metadata.jsonl:13: There is no file gone.png")


def test_a_folder_without_questions_is_told(tmp_path: Path) -> None:
    for write, code in ((False, "file_not_found"), (True, "no_questions")):
        if write:
            (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png"}\n')
        with pytest.raises(KuamoError) as caught:
            evaluate_answers(tmp_path, models("cat"))
        assert caught.value.code == code


def test_what_does_not_count_is_left_out() -> None:
    assert normalised(" Red. ") == normalised("red") == "red"
    assert normalised("图里没有猫。") == normalised("图里没有猫")
    assert normalised("１") == normalised("1")
