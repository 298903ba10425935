"""A Hugging Face `datasets` folder: `datasets.load_from_disk(folder)` gives a DatasetDict."""

import json
from pathlib import Path
from typing import Any

from kuamo.data.files import link, whole, write
from kuamo.data.outputs.media import audio_path, image_paths
from kuamo.data.row import Row
from kuamo.data.sources.records import needed

ENDING = ".arrow"
TEXTS = ("id", "text", "question", "answer", "language", "group", "extra", "source")


def write_part(rows: list[Row], path: Path, out: Path) -> None:
    """Write rows as an Arrow stream; media stand in it as the absolute paths of the data set's files."""
    arrow = needed("pyarrow")
    schema = _schema(arrow)
    table = arrow.Table.from_pylist([_columns(row, out) for row in rows], schema)
    with whole(path, out) as file, arrow.ipc.new_stream(file, schema) as stream:
        stream.write_table(table)


def _schema(arrow: Any) -> Any:
    medium = arrow.struct({"bytes": arrow.binary(), "path": arrow.string()})
    turn = arrow.struct({"role": arrow.string(), "content": arrow.string()})
    texts = {name: arrow.string() for name in TEXTS}
    return arrow.schema({"images": arrow.list_(medium), "audio": medium, "messages": arrow.list_(turn)} | texts)


def _columns(row: Row, out: Path) -> dict[str, Any]:
    sound = audio_path(row)
    return {
        "images": [{"bytes": None, "path": str(out / path)} for path in image_paths(row)],
        "audio": {"bytes": None, "path": str(out / sound)} if sound else None,
        "messages": [{"role": turn.role, "content": turn.text} for turn in row.messages],
        "extra": json.dumps(row.extra, ensure_ascii=False, sort_keys=True),
        "source": row.where.file,
    } | {name: getattr(row, name) for name in ("id", "text", "question", "answer", "language", "group")}


def finish(parts: dict[str, list[Path]], out: Path, about: dict[str, str]) -> list[Path]:
    """Put the parts of each split under their names, and write what `load_from_disk` reads; return the files."""
    made = []
    for split, paths in parts.items():
        count = max(len(paths), 1)  # a split without rows has a file too, or it could not be opened
        names = [f"data-{number:05d}-of-{count:05d}{ENDING}" for number in range(count)]
        if not paths:
            write_part([], out / split / names[0], out)
        for path, name in zip(paths, names, strict=False):
            link(path, out / split / name, out)
        described = {"dataset_info.json": _info(about), "state.json": _state(names, split, about)}
        for name, told in described.items():
            write(out / split / name, json.dumps(told, indent=2).encode(), out)
        made += [out / split / name for name in (*names, *described)]
    write(out / "dataset_dict.json", json.dumps({"splits": list(parts)}).encode(), out)
    return [*made, out / "dataset_dict.json"]


def _info(about: dict[str, str]) -> dict[str, Any]:
    datasets = needed("datasets")
    text = datasets.Value("string")
    media = {"images": datasets.List(datasets.Image()), "audio": datasets.Audio()}
    turns = datasets.List({"role": text, "content": text})
    features = datasets.Features(media | {"messages": turns} | dict.fromkeys(TEXTS, text))
    told = {"features": features.to_dict(), "license": about["licence"]}
    return {"citation": "", "description": "", "homepage": ""} | told


def _state(names: list[str], split: str, about: dict[str, str]) -> dict[str, Any]:
    return {
        "_data_files": [{"filename": name} for name in names],
        "_fingerprint": about["fingerprint"][:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }
