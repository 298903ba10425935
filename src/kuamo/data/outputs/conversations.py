"""Conversations: messages JSONL (`messages`, `images`, `audios`), and LLaVA's JSON (`conversations`, `image`).

A caption answers the request to describe the picture; the text of a recording, the request to write it down.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kuamo.data.checks.text import IMAGE_MARK
from kuamo.data.files import lines, whole
from kuamo.data.outputs.media import audio_path, image_paths
from kuamo.data.row import Row, Turn
from kuamo.messages import language_of, say

ENDING = ".jsonl"
LLAVA_NAMES = {"user": "human", "assistant": "gpt", "system": "system"}


def turns_of(row: Row) -> tuple[Turn, ...]:
    """Return a row as a conversation, with a mark for each picture where the source has none."""
    turns = row.messages or _pair(row)
    missing = len(row.images) - sum(turn.text.count(IMAGE_MARK) for turn in turns)
    asks = next((number for number, turn in enumerate(turns) if turn.role == "user"), None)
    if missing <= 0 or asks is None:
        return turns
    marked = Turn("user", (IMAGE_MARK + "\n") * missing + turns[asks].text)
    return (*turns[:asks], marked, *turns[asks + 1 :])


def _pair(row: Row) -> tuple[Turn, ...]:
    if row.question is not None and row.answer is not None:
        return Turn("user", row.question), Turn("assistant", row.answer)
    asked = "prompt.caption" if row.images else "prompt.write_down"
    return Turn("user", say(asked, language_of(row.language))), Turn("assistant", row.text or "")


def write_messages(rows: list[Row], path: Path, out: Path) -> None:
    """Write rows as lines of messages, with the paths of their media in the data set."""
    _write_lines(map(_as_messages, rows), path, out)


def write_llava(rows: list[Row], path: Path, out: Path) -> None:
    """Write rows as lines that `finish_llava` joins to LLaVA's array; several pictures stand as a list."""
    _write_lines(map(_as_llava, rows), path, out)


def _write_lines(records: Iterator[dict[str, Any]], path: Path, out: Path) -> None:
    with whole(path, out) as file:
        file.writelines(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in records)


def _as_messages(row: Row) -> dict[str, Any]:
    turns = [{"role": turn.role, "content": turn.text} for turn in turns_of(row)]
    media = {"images": image_paths(row), "audios": [path for path in [audio_path(row)] if path]}
    return {"id": row.id, "messages": turns} | {name: paths for name, paths in media.items() if paths}


def _as_llava(row: Row) -> dict[str, Any]:
    images, sound = image_paths(row), audio_path(row)
    media: dict[str, Any] = {"image": images[0] if len(images) == 1 else images} if images else {}
    media |= {"audio": sound} if sound else {}
    turns = [{"from": LLAVA_NAMES[turn.role], "value": turn.text} for turn in turns_of(row)]
    return {"id": row.id, **media, "conversations": turns}


def _finish(
    parts: dict[str, list[Path]], out: Path, _: dict[str, str], *, name: str, join: Callable[[Iterator[bytes]], Any]
) -> list[Path]:
    made = [out / name.format(split=split) for split in parts]
    for path, paths in zip(made, parts.values(), strict=True):
        with whole(path, out) as file:
            file.writelines(join(lines(paths)))
    return made


def _as_array(parts: Iterator[bytes]) -> Iterator[bytes]:
    before = b"["
    for line in parts:
        yield before + b"\n" + line.rstrip(b"\n")
        before = b","
    yield b"[]\n" if before == b"[" else b"\n]\n"


finish_messages = partial(_finish, name="messages-{split}.jsonl", join=iter)
"""Join the parts of each split to messages-train.jsonl …; return the files."""
finish_llava = partial(_finish, name="llava-{split}.json", join=_as_array)
"""Join the parts of each split to llava-train.json …; return the files."""
