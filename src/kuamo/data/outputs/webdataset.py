"""WebDataset: tar files in which the members of one name are one row: 0a1b.jpg, 0a1b.txt, 0a1b.json."""

import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

from kuamo.data.files import link, whole
from kuamo.data.measure import digest
from kuamo.data.outputs.media import content
from kuamo.data.row import Row

ENDING = ".tar"


def write_part(rows: list[Row], path: Path, out: Path) -> None:
    """Write rows as a tar file, the media in it; its bytes depend on the rows alone."""
    with whole(path, out) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for row in rows:
            key = digest(row.id.encode())[:16]
            for ending, data in _members(row):
                member = tarfile.TarInfo(key + ending)
                member.size = len(data)
                tar.addfile(member, BytesIO(data))


def _members(row: Row) -> list[tuple[str, bytes]]:
    facts = row.facts["media"]
    several = len(row.images) > 1
    media = [
        ((f".{number}" if several and number < len(row.images) else "") + fact["ending"], content(medium, fact))
        for number, (medium, fact) in enumerate(zip(row.media, facts, strict=True))
    ]
    text = [(".txt", row.text.encode())] if row.text is not None else []
    return [*media, *text, (".json", json.dumps(_told(row), ensure_ascii=False).encode())]


def _told(row: Row) -> dict[str, Any]:
    """Return what the row says beside its text, by the names that Kuamo reads."""
    turns = [{"role": turn.role, "content": turn.text} for turn in row.messages] or None
    told = {"id": row.id, "question": row.question, "answer": row.answer, "messages": turns}
    told |= {"language": row.language, "group": row.group}
    return {**row.extra, **{name: value for name, value in told.items() if value is not None}}


def finish(parts: dict[str, list[Path]], out: Path, _: dict[str, str]) -> list[Path]:
    """Put the parts of each split under webdataset/train-000000.tar …; return the files."""
    made = []
    for split, paths in parts.items():
        for number, path in enumerate(paths):
            made.append(out / "webdataset" / f"{split}-{number:06d}{ENDING}")
            link(path, made[-1], out)
    return made
