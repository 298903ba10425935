"""Texts: cleaned for a model or a comparison."""

import re
import unicodedata
from pathlib import Path

from kuamo.errors import KuamoError
from kuamo.media.limits import Limits, name_of, read_bytes


def read_text(source: Path | bytes, limits: Limits, name: str | None = None) -> str:
    """Return the content of a text file in UTF-8, with or without its mark.

    Raises KuamoError not_text and those of `read_bytes`.
    """
    name = name_of(source, name)
    try:
        return read_bytes(source, name, limits).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise KuamoError("not_text", name=name) from error


def clean_text(text: str, limits: Limits) -> str:
    """Return text in composed form (NFC) without control characters, its white space folded to single spaces.

    Raises KuamoError text_empty or text_too_long.
    """
    if len(text) > limits.characters:
        raise KuamoError("text_too_long", characters=len(text), limit=limits.characters)
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in composed)
    cleaned = re.sub(r"\s+", " ", visible).strip("\u200b\ufeff ")
    if not cleaned:
        raise KuamoError("text_empty")
    return cleaned


def is_chinese(text: str) -> bool:
    """Whether a text is written in Chinese: it holds a Han character."""
    return bool(re.search(r"[\u3400-\u9fff\uf900-\ufaff]", text))
