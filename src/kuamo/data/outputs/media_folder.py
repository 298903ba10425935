"""A folder of pictures or sounds for each split, with its metadata.jsonl, as Hugging Face's `imagefolder` reads it."""

import json
from pathlib import Path
from typing import Any

from kuamo.data.files import lines, link, whole
from kuamo.data.outputs.media import stored
from kuamo.data.row import Row

ENDING = ".jsonl"
FOLDER = "folder"


def write_part(rows: list[Row], path: Path, out: Path) -> None:
    """Write rows as lines of metadata: `file_name`, or `file_names` of several, and the texts."""
    with whole(path, out) as file:
        file.writelines(json.dumps(_told(row), ensure_ascii=False).encode() + b"\n" for row in rows)


def _told(row: Row) -> dict[str, Any]:
    names = [Path(stored(fact)).name for fact in row.facts["media"]]
    named: dict[str, Any] = {"file_name": names[0]} if len(names) == 1 else {"file_names": names}
    turns = [{"role": turn.role, "content": turn.text} for turn in row.messages] or None
    told: dict[str, Any] = {
        "id": row.id,
        "text": row.text,
        "question": row.question,
        "answer": row.answer,
        "messages": turns,
    }
    told |= {"language": row.language, "group": row.group, "extra": row.extra or None}
    return named | {name: value for name, value in told.items() if value is not None}


def finish(parts: dict[str, list[Path]], out: Path, _: dict[str, str]) -> list[Path]:
    """Join the parts to folder/train/metadata.jsonl …, the media beside it; return the files."""
    made = []
    for split, paths in parts.items():
        folder = out / FOLDER / split
        with whole(folder / "metadata.jsonl", out) as file:
            for line in lines(paths):
                file.write(line)
                made += [folder / name for name in _names(json.loads(line))]
        made.append(folder / "metadata.jsonl")
    for path in dict.fromkeys(made):
        if path.name != "metadata.jsonl":
            link(out / "media" / path.name[:2] / path.name, path, out)
    return made


def _names(told: dict[str, Any]) -> list[str]:
    return [told["file_name"]] if "file_name" in told else list(told["file_names"])
