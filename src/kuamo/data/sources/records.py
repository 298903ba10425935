"""Records of a table, one at a time: JSON lines, a JSON array, CSV, TSV, Parquet. What is damaged is passed over."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from functools import partial
from math import isfinite
from pathlib import Path
from typing import IO, Any

from kuamo.data.row import Fault
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits

Record = dict[str, Any]
Read = Iterator[tuple[int, Record | Fault]]
"""Line or item, from 1, and the record there, or what is wrong with it."""

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
BATCH = 64  # records of a Parquet file in memory, with their media
MARK = b"\xef\xbb\xbf"  # that some programs begin UTF-8 with


def read_records(file: Path, limits: Limits) -> Read:
    """Yield the records of a file whose name has one of ENDINGS; the whole is never in memory.

    A record that cannot be read comes as its Fault, and reading goes on behind it where that can be found.
    Raises KuamoError data_missing where a package for it is not installed.
    """
    try:
        with file.open("rb") as opened:
            yield from _reader(file, opened)(opened, limits)
    except OSError as error:
        yield 0, Fault("file_unreadable", {"name": file.name, "reason": error.strerror or str(error)})


def _reader(file: Path, opened: IO[bytes]) -> Any:
    match file.suffix.lower():
        case ".csv":
            return partial(_separated, dialect="excel")
        case ".tsv":
            return partial(_separated, dialect="excel-tab", quoting=csv.QUOTE_NONE)
        case ".parquet":
            return _parquet
    head = opened.read(4096).removeprefix(MARK).lstrip()
    opened.seek(0)
    if head.startswith(b"["):
        return _array
    return _one_object if head.startswith((b"{\n", b"{\r\n")) else _lines


# --- JSON


def _one_object(*_: object) -> Read:
    yield 1, Fault("not_rows")


def _lines(opened: IO[bytes], limits: Limits) -> Read:
    for number, line in enumerate(_limited_lines(opened, limits), 1):
        if isinstance(line, Fault):
            yield number, line
        elif content := line.removeprefix(MARK).strip():
            yield number, parse_object(content)


def _limited_lines(opened: IO[bytes], limits: Limits) -> Iterator[bytes | Fault]:
    most = int(limits.megabytes * 1e6)
    while line := opened.readline(most):
        if len(line) < most or line.endswith(b"\n"):
            yield line
            continue
        while (rest := opened.readline(most)) and not rest.endswith(b"\n"):
            pass
        yield Fault("line_too_long", {"limit": limits.megabytes})


def parse_object(content: bytes) -> Record | Fault:
    """Return a JSON object in UTF-8, NaN and infinities in it as null, or what is wrong with it."""
    try:
        value = json.loads(content.decode(), parse_constant=lambda _: None)
        if b"\\u" in content:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except UnicodeError:
        return Fault("line_not_text")
    except (ValueError, RecursionError):
        return Fault("line_damaged")
    return value if isinstance(value, dict) else Fault("line_damaged")


def items(opened: IO[bytes], prefix: str) -> Iterator[tuple[int, Any]]:
    """Yield the items of an array in a JSON file, numbered from 1; where it breaks off, a Fault for the rest."""
    ijson = needed("ijson")
    number = 0
    opened.seek(len(MARK) if opened.read(len(MARK)) == MARK else 0)
    try:
        for number, item in enumerate(ijson.items(opened, prefix, use_float=True), 1):
            yield number, item
    except (ijson.JSONError, ValueError, RecursionError):
        yield number + 1, Fault("rest_unreadable")


def _array(opened: IO[bytes], _: Limits) -> Read:
    for number, item in items(opened, "item"):
        yield number, item if isinstance(item, Fault) else _checked(item)


def _checked(item: Any) -> Record | Fault:
    try:
        json.dumps(item, ensure_ascii=False).encode()
    except UnicodeError:
        return Fault("line_not_text")
    return item if isinstance(item, dict) else Fault("line_damaged")


# --- separated values


def _separated(opened: IO[bytes], _: Limits, **options: Any) -> Read:
    lines = (line.decode("utf-8", "surrogateescape") for line in opened)
    reader = csv.reader(lines, **options)
    header = [name.lstrip("\ufeff").strip() for name in next(reader, [])]
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, Fault("line_damaged")
            continue
        if values:
            yield reader.line_num, _named(header, values)


def _named(header: list[str], values: list[str]) -> Record | Fault:
    try:
        "".join(values).encode()
    except UnicodeError:
        return Fault("line_not_text")
    if len(values) != len(header):
        return Fault("line_damaged")
    return {name: value for name, value in zip(header, values, strict=True) if value != ""}


# --- Parquet


def _parquet(opened: IO[bytes], _: Limits) -> Read:
    arrow, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    number = 0
    try:
        for batch in parquet.ParquetFile(opened).iter_batches(BATCH):
            for record in batch.to_pylist():
                number += 1
                yield number, {name: _of_json(value) for name, value in record.items() if value is not None}
    except (arrow.ArrowException, OSError):
        yield number + 1, Fault("rest_unreadable")


def _of_json(value: Any) -> Any:
    """Return a value with its dates and decimals as JSON has them; bytes stay, as media do."""
    match value:
        case dict():
            return {str(name): _of_json(part) for name, part in value.items()}
        case list() | tuple():
            return [_of_json(part) for part in value]
        case float():
            return value if isfinite(value) else None
        case None | str() | bytes() | bool() | int():
            return value
        case date():
            return value.isoformat()
    return str(value)


def needed(package: str) -> Any:
    """Import a package of the extra `data`. Raises KuamoError data_missing."""
    from importlib import import_module

    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise KuamoError("data_missing", package=error.name) from error
