"""Every sentence a person reads, in English and Chinese, from messages.toml."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

Language = Literal["en", "zh"]


@cache
def table() -> dict[str, dict[str, Any]]:
    """Return the rows of messages.toml by dotted key, each with `en`, `zh` and, for errors, `status` and hints."""
    text = resources.files("kuamo").joinpath("messages.toml").read_text(encoding="utf-8")
    return {f"{section}.{key}": row for section, rows in tomllib.loads(text).items() for key, row in rows.items()}


def say(key: str, language: Language = "en", part: str = "", /, **values: object) -> str:
    """Return the sentence `key` in `language` with `values` filled in; empty where the row has no such part.

    `part` is "" for the sentence itself or "hint_" for what to do next. Raises KeyError for an unknown key.
    """
    return str(table()[key].get(part + language, "")).format(**values)


def language_of(tags: str | None) -> Language:
    """Return the supported language for a locale or Accept-Language value; the first tag decides, English otherwise."""
    return "zh" if (tags or "").strip().lower().startswith(("zh", "cmn")) else "en"
