"""What a row must pass, in order: a check returns the Fault of a row that has to go, or None.

A check may also raise the KuamoError of media that it could not read; it counts as that Fault.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kuamo.data.checks.duplicates import duplicate_ids, exact_duplicates
from kuamo.data.checks.media import media_decode, media_there
from kuamo.data.checks.text import image_marks, text_length, text_there
from kuamo.data.ledger import Ledger
from kuamo.data.row import Fault, Row
from kuamo.errors import KuamoError

Check = Callable[[Row], Fault | None]
Options = Mapping[str, Mapping[str, Any]]
"""The checks that are made, by name, in order, each with its options."""

EACH: dict[str, Callable[..., Fault | None]] = {
    "media_there": media_there,
    "text_there": text_there,
    "text_length": text_length,
    "image_marks": image_marks,
    "media_decode": media_decode,
}
"""Checks of one row by itself; workers make them, and what they found is kept for the next run."""

AMONG: dict[str, Callable[..., Fault | None]] = {
    "exact_duplicates": exact_duplicates,
    "duplicate_ids": duplicate_ids,
}
"""Checks of a row among those before it, from its facts and a Ledger; made of all rows in order, in one process."""

DEFAULT: Options = {name: {} for name in (*EACH, *AMONG)}


def each(options: Options) -> list[Check]:
    """Return the chosen checks of one row by itself."""
    return [partial(EACH[name], **chosen) for name, chosen in options.items() if name in EACH]


def among(options: Options, ledger: Ledger) -> list[Check]:
    """Return the chosen checks of a row among others."""
    return [partial(AMONG[name], ledger=ledger, **chosen) for name, chosen in options.items() if name in AMONG]


def first_fault(row: Row, checks: list[Check]) -> Fault | None:
    """Return the fault that the first check finds; None where a row passes them all."""
    try:
        return next((fault for check in checks if (fault := check(row))), None)
    except KuamoError as error:
        return Fault.of(error)
