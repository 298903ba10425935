"""Results as JSON, and whether a file can be written.

The JSON of a result has the fields of its dataclass in contracts.py, by their names: places and words carry `text`,
`start_seconds`, `end_seconds`, `score`, `corners`; traces `capability`, `model`, `source`, `revision`, `device`,
`precision`, `seconds`. Numbers have at most 3 decimals; a sound stands as its length and sample rate, a
picture as its width and height.
"""

import errno
import json
import os
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from kuamo.errors import KuamoError
from kuamo.media.audio import Audio
from kuamo.media.image import Image


def plain(value: object) -> Any:
    """Return a value of contracts.py as dicts, lists, strings and numbers."""
    match value:
        case float():
            return round(value, 3)
        case Image():
            return {"width": value.width, "height": value.height}
        case Audio():
            return {"seconds": round(value.seconds, 3), "sample_rate_hz": value.sample_rate_hz}
        case Path():
            return str(value)
        case dict():
            return {str(key): plain(part) for key, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


def as_json(**parts: object) -> str:
    """Return one JSON object; in ASCII where stdout cannot show every character."""
    in_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    return json.dumps(plain(parts), ensure_ascii=not in_unicode)


def check_writable(path: Path | None) -> None:
    """Raise KuamoError cannot_write, before long work, where a file could not be written; None is fine."""
    if path is None:
        return
    if path.is_dir():
        raise KuamoError("cannot_write", name=path, reason=os.strerror(errno.EISDIR))
    if not path.parent.is_dir():
        raise KuamoError("cannot_write", name=path, reason=os.strerror(errno.ENOENT))
    if not os.access(path.parent, os.W_OK):
        raise KuamoError("cannot_write", name=path, reason=os.strerror(errno.EACCES))
