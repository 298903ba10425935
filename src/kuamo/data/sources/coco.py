"""COCO captions: a JSON object of `images` (id, file_name) and `annotations` (image_id, caption)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kuamo.data.row import Dropped, Fault, Place, Row
from kuamo.data.sources.fields import Fields
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.records import items
from kuamo.data.sources.rows import Origin, rows_of

BEGINNING = 65_536
KEYS = re.compile(rb'"(?:info|licenses|images|annotations)"\s*:\s*[\[{]')


def fits(folder: Folder) -> bool:
    """Whether there is a JSON file of that form."""
    return any(_is_coco(file) for file in folder.files(".json"))


def _is_coco(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            beginning = opened.read(BEGINNING).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return beginning[:1] == b"{" and bool(KEYS.match(beginning[1:].lstrip()))


def rows(folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield a row for each caption. Pictures are looked for beside the file, and in the folder named as its ending is:
    `train2017` (or `images/train2017`) for captions_train2017.json."""
    for file in filter(_is_coco, folder.files(".json")):
        with file.open("rb") as opened:
            names = dict(_names(opened))
            opened.seek(0)
            for number, one in items(opened, "annotations.item"):
                where = Place(folder.name(file), number)
                if isinstance(one, Fault):
                    yield Dropped(where, one)
                    continue
                record = _record(one, names)
                if record is None:
                    yield Dropped(where, Fault("line_damaged"))
                    continue
                near = _folder_of(file, folder, record["image"])
                yield from rows_of(record, Origin(where, near, folder), fields)


def _names(opened: Any) -> Iterator[tuple[Any, str]]:
    for _, one in items(opened, "images.item"):
        if isinstance(one, dict) and isinstance(one.get("file_name"), str) and isinstance(one.get("id"), int | str):
            yield one["id"], one["file_name"]


def _record(one: Any, names: dict[Any, str]) -> dict[str, Any] | None:
    if not isinstance(one, dict) or not isinstance(one.get("image_id"), int | str) or one["image_id"] not in names:
        return None
    return {"image": names[one["image_id"]], **one}


def _folder_of(file: Path, folder: Folder, name: str) -> Path:
    part = file.stem.rpartition("_")[2]
    possible = (file.parent, *(base / part for base in (folder.root, folder.root / "images", *folder.also)))
    return next((place for place in possible if (place / name).is_file()), file.parent)
