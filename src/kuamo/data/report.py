"""What came into a data set, what left and why."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, Any

from kuamo.data.row import Dropped

EXAMPLES = 20  # of each reason; dropped.jsonl has all


@dataclass
class Reason:
    """Why rows were dropped: how many, and the first of them."""

    count: int = 0
    examples: list[Dropped] = field(default_factory=list)


@dataclass
class Report:
    """How many rows came, how many are in each split, and why the others are not; `fingerprint` is the data's.

    `notes` are codes of messages.toml under [data] with their values: what a user should know of the result.
    """

    kind: str
    rows: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Reason] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    fingerprint: str = ""

    @property
    def kept(self) -> int:
        """How many rows are in the data set."""
        return self.splits.total()

    def keep(self, split: str) -> None:
        """Count a row that stays."""
        self.rows += 1
        self.splits[split] += 1

    def drop(self, dropped: Dropped, listing: IO[bytes]) -> None:
        """Count a row that goes, and write it to the list of all."""
        self.rows += 1
        reason = self.reasons.setdefault(dropped.fault.code, Reason())
        reason.count += 1
        if len(reason.examples) < EXAMPLES:
            reason.examples.append(dropped)
        listing.write(json.dumps(as_json(dropped), ensure_ascii=False).encode() + b"\n")

    def as_json(self) -> dict[str, Any]:
        """Return the report as report.json has it."""
        reasons = sorted(self.reasons.items(), key=lambda item: (-item[1].count, item[0]))
        return {
            "kind": self.kind,
            "rows": self.rows,
            "kept": self.kept,
            "splits": dict(self.splits),
            "dropped": {
                code: {"count": reason.count, "examples": [as_json(one) for one in reason.examples]}
                for code, reason in reasons
            },
            "notes": [{"code": code, **values} for code, values in self.notes],
            "fingerprint": self.fingerprint,
        }


def as_json(dropped: Dropped) -> dict[str, Any]:
    """Return a dropped row as report.json and dropped.jsonl have it: where it stood and why, in both languages."""
    return {
        "file": dropped.where.file,
        "line": dropped.where.line,
        "id": dropped.id,
        "reason": dropped.fault.code,
        "values": dict(dropped.fault.values),
        "en": dropped.fault.message("en"),
        "zh": dropped.fault.message("zh"),
    }
