"""What workers do with a piece of rows: check and measure each by itself. What they found is kept by content."""

import json
from pathlib import Path
from typing import Any

from kuamo.data.checks import EACH, Options, each, first_fault
from kuamo.data.files import WORK, write
from kuamo.data.measure import MEASURES, digest, measured, versions
from kuamo.data.row import Dropped, Fault, Row
from kuamo.errors import KuamoError

CHECKED = WORK / "checked"

Finding = Fault | dict[str, Any]
"""Why a row has to go, or the facts of one that may stay."""


def examine(rows: list[Row | Dropped], *, options: Options, out: Path) -> tuple[str, list[Finding]]:
    """Return the findings of a piece, and the name of the file below `out` that keeps them.

    One for each row; what was dropped before has its fault. A piece whose rows, media (by size and time) and checks
    are those of an earlier run is not examined again.
    """
    name = f"{_key(rows, options)}.json"
    path = out / CHECKED / name
    if not path.exists():
        write(path, json.dumps([_as_json(_find(row, options)) for row in rows], default=str).encode(), out)
    return name, [_from_json(one) for one in json.loads(path.read_bytes())]


def _key(rows: list[Row | Dropped], options: Options) -> str:
    """Return what stands for the rows and for everything that decides the findings."""
    told = [_stamp(row) if isinstance(row, Row) else [row.fault.code, dict(row.fault.values)] for row in rows]
    limits = sorted({repr(one.limits) for row in rows if isinstance(row, Row) for one in row.media})
    chosen = {name: dict(given) for name, given in options.items() if name in EACH}
    return digest(json.dumps([versions(), chosen, list(MEASURES), limits, told], default=str).encode())


def _stamp(row: Row) -> list[Any]:
    media = [one.stamp() for one in row.media]
    return [row.id, row.texts, row.language, row.group, dict(row.extra), media]


def _find(row: Row | Dropped, options: Options) -> Finding:
    if isinstance(row, Dropped):
        return row.fault
    try:
        return first_fault(row, each(options)) or dict(measured(row))
    except KuamoError as error:
        return Fault.of(error)


def _as_json(finding: Finding) -> dict[str, Any]:
    if isinstance(finding, Fault):
        return {"code": finding.code, "values": dict(finding.values)}
    return {"facts": finding}


def _from_json(told: dict[str, Any]) -> Finding:
    return Fault(told["code"], told["values"]) if "code" in told else told["facts"]
