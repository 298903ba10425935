"""A checkpoint folder's own processors, loaded without the network and without its code, and what tells them apart."""

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kuamo.errors import KuamoError

HERE_ONLY = {"local_files_only": True, "trust_remote_code": False}
LARGE = ("torch", "torchvision", "transformers")


def load_own(kind: Any, folder: str) -> Any:
    """Return a checkpoint's own processor by an Auto class of Transformers.

    Raises KuamoError no_processor where the folder has none that can be read.
    """
    try:
        return kind.from_pretrained(folder, **HERE_ONLY)
    except ModuleNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise KuamoError("no_processor", name=Path(folder).name, kind=kind.__name__.removeprefix("Auto")) from error


def settings_of(processor: Any) -> dict[str, Any]:
    """Return what decides a processor's output: its class, its settings, the versions of what computes beneath it."""
    settings = json.loads(json.dumps(processor.to_dict(), default=str, sort_keys=True))
    return {"class": type(processor).__name__, "settings": settings, "versions": versions()}


@cache
def versions() -> dict[str, str | None]:
    """Return the versions of all that decodes and computes features; None for what is not installed."""
    return {name: _version(name) for name in ("kuamo", "av", "numpy", "pillow", "soundfile", "soxr", *LARGE)}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
