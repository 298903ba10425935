"""Texts: cleaned for a model or a comparison."""

import re
import unicodedata

from kuamo.errors import KuamoError
from kuamo.media.limits import Limits


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
    return bool(re.search(r"[㐀-鿿豈-﫿]", text))
