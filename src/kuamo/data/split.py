"""Which split a row goes to: by a hash of its group, so that it stays where it is when other rows come."""

from dataclasses import dataclass
from hashlib import sha256
from math import isfinite

from kuamo.data.ledger import Ledger
from kuamo.data.row import Fault, Row
from kuamo.errors import KuamoError

NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Shares of train, validation and, with three, test; they need not sum to 1. Another seed, another split."""

    shares: tuple[float, ...] = (9, 1)
    seed: int = 42

    @classmethod
    def parse(cls, shares: str, seed: int) -> "Split":
        """Return the split that "9:1" or "8:1:1" writes. Raises KuamoError not_shares."""
        try:
            numbers = tuple(map(float, shares.split(":")))
        except ValueError:
            numbers = ()
        if not 1 <= len(numbers) <= len(NAMES) or not all(isfinite(x) and x >= 0 for x in numbers) or not sum(numbers):
            raise KuamoError("not_shares", given=shares)
        return cls(numbers, seed)

    @property
    def names(self) -> tuple[str, ...]:
        """The splits there are, also where one stays empty."""
        return NAMES[: len(self.shares)]

    def of(self, key: str) -> str:
        """Return the split of a group, a picture or a sound: the same for the same seed and shares, always."""
        point = int.from_bytes(sha256(f"{self.seed}:{key}".encode()).digest()[:8]) / 2**64 * sum(self.shares)
        for name, share in zip(self.names, self.shares, strict=True):
            if point < share:
                return name
            point -= share
        return next(name for name, share in zip(reversed(self.names), reversed(self.shares), strict=True) if share)


def keys(row: Row) -> tuple[str, ...]:
    """Return what must not be in two splits: a row's group, and the content of its pictures and its sound."""
    group = (f"group:{row.group}",) if row.group is not None else ()
    return (*group, *(f"media:{one['sha256']}" for one in row.facts.get("media", ()))) or (f"id:{row.id}",)


def place(row: Row, split: Split, ledger: Ledger) -> str | Fault:
    """Return the split of a row: where something of it is already, else that of its first key.

    A row whose parts are in two splits already fits in neither: Fault joins_splits.
    """
    taken = {holder for key in keys(row) if (holder := ledger.holder("split", key))}
    if len(taken) > 1:
        return Fault("joins_splits", {"splits": " + ".join(sorted(taken))})
    name = taken.pop() if taken else split.of(keys(row)[0])
    for key in keys(row):
        ledger.claim("split", key, name)
    return name
