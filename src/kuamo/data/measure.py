"""What is measured of a row once, for the checks among rows, the split, the outputs and the report."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from kuamo.data.row import Media, Row
from kuamo.data.sources.fields import SOUNDS
from kuamo.errors import KuamoError
from kuamo.media.image import image_ending

MAKERS = ("kuamo", "datasets", "pyarrow", "pillow", "av", "soxr", "soundfile")


def media_facts(row: Row) -> list[dict[str, Any]]:
    """Return `sha256`, `bytes` and `ending` of each medium, pictures first; these have `width` and `height`.

    The sound has `seconds` and `sample_rate_hz`. Raises KuamoError where one cannot be read.
    """
    facts = [_image_facts(image) for image in row.images]
    return [*facts, _sound_facts(row.audio)] if row.audio else facts


def _image_facts(media: Media) -> dict[str, Any]:
    data, image = media.read(), media.image()
    return _file_facts(data, image_ending(data)) | {"width": image.width, "height": image.height}


def _sound_facts(media: Media) -> dict[str, Any]:
    sound = media.audio()
    ending = media.ending if media.ending in SOUNDS else ".bin"
    times = {"seconds": round(sound.seconds, 3), "sample_rate_hz": sound.sample_rate_hz}
    return _file_facts(media.read(), ending) | times


def _file_facts(data: bytes, ending: str) -> dict[str, Any]:
    return {"sha256": digest(data), "bytes": len(data), "ending": ending}


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@cache
def versions() -> dict[str, str]:
    """Return the versions of what reads, measures and writes. Raises KuamoError data_missing."""
    try:
        return {name: version(name) for name in MAKERS}
    except PackageNotFoundError as error:
        raise KuamoError("data_missing", package=error.name) from error


MEASURES: dict[str, Callable[[Row], Any]] = {"media": media_facts}
"""What is measured, by the name under which it stands in `Row.facts`; each returns what JSON can hold."""


def measured(row: Row) -> Mapping[str, Any]:
    """Return the facts of a row. Raises KuamoError where its media cannot be read."""
    return {name: measure(row) for name, measure in MEASURES.items()}
