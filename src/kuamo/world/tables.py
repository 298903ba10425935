"""The tables of the small world: what it holds, how it is drawn and what is said of it, as TOML."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def read_table(name: str) -> dict[str, Any]:
    """Return the table NAME.toml of this package; `phrases/NAME` is one of the phrases."""
    return tomllib.loads(resources.files("kuamo.world").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
