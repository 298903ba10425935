"""How often an engine is right, on a folder of examples whose truth is known."""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuamo.contracts import ChatRequest, Message, Sampling, Trace
from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.runtime import Models
from kuamo.stream import Stream


@dataclass(frozen=True)
class Scored:
    """A question, what was said and what is true."""

    file_name: str
    question: str
    kind: str
    language: str
    answer: str
    said: str

    @property
    def right(self) -> bool:
        """Whether the two are the same but for case, width, spaces and punctuation."""
        return normalised(self.said) == normalised(self.answer)


@dataclass(frozen=True)
class Scores:
    """Shares of right answers, 0 to 1; `dropped` names each row that could not be used, and why."""

    exact_match: float
    by_kind: dict[str, float]
    by_language: dict[str, float]
    questions: int
    dropped: tuple[str, ...]
    traces: tuple[Trace, ...]


def normalised(text: str) -> str:
    """Return a text without what does not count: case, full width, spaces, punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def evaluate_answers(folder: Path, models: Models) -> Stream[Scored, Scores]:
    """Ask the `answer` model in force every question of an image folder; each as it is scored, then the Scores.

    The folder has a metadata.jsonl of rows with `file_name` and `questions` (each `question`, `answer` and, where
    known, `kind` and `language`). Answers take the likeliest token each time. A row that cannot be used is dropped and
    named. Raises KuamoError file_not_found, no_questions, or what the model raises.
    """
    file = folder / "metadata.jsonl"
    if not file.is_file():
        raise KuamoError("file_not_found", name=file)
    return Stream(_evaluate(file, models))


def _evaluate(file: Path, models: Models) -> Generator[Scored, None, Scores]:
    scored: list[Scored] = []
    dropped: list[str] = []
    with models.lease("answer", ChatRequest(messages=())) as lease:
        for name, image, questions in _rows(file, models, dropped):
            for asked in questions:
                request = _request(image, asked["question"])
                said = "".join(lease.engine.answer(request)).strip()
                known = {key: str(asked.get(key, "")) for key in ("question", "kind", "language", "answer")}
                scored.append(Scored(file_name=name, said=said, **known))
                yield scored[-1]
        if not scored:
            raise KuamoError("no_questions", name=file)
        return _summed(scored, tuple(dropped), (lease.trace(),))


def _request(image: Image, question: str) -> ChatRequest:
    return ChatRequest(
        messages=(Message("user", question, (image,)),), sampling=Sampling(temperature=0, max_new_tokens=64)
    )


def _rows(file: Path, models: Models, dropped: list[str]) -> Iterator[tuple[str, Image, list[dict[str, Any]]]]:
    """Yield each row's name, picture and questions; note those that are not whole in `dropped`."""
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            row = json.loads(line)
            name, questions = row["file_name"], row["questions"]
            if not all(question["question"] and question["answer"] for question in questions):
                raise ValueError("a question or an answer is empty")
            path = (file.parent / name).resolve()
            if not path.is_relative_to(file.parent.resolve()):
                raise ValueError("the picture is outside the folder")
            yield name, read_image(path, models.settings.limits), questions
        except KuamoError as error:
            dropped.append(f"{file.name}:{number}: {error.message('en')}")
        except (ValueError, KeyError, TypeError) as error:
            dropped.append(f"{file.name}:{number}: {type(error).__name__}: {error}")


def _summed(scored: list[Scored], dropped: tuple[str, ...], traces: tuple[Trace, ...]) -> Scores:
    return Scores(
        exact_match=_share(scored),
        by_kind=_shares(scored, "kind"),
        by_language=_shares(scored, "language"),
        questions=len(scored),
        dropped=dropped,
        traces=traces,
    )


def _share(scored: list[Scored]) -> float:
    return sum(one.right for one in scored) / len(scored)


def _shares(scored: list[Scored], aspect: str) -> dict[str, float]:
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        groups[getattr(one, aspect)].append(one)
    return {value: _share(group) for value, group in sorted(groups.items())}
