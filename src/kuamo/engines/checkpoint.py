"""A Transformers checkpoint on disk: whole and readable, or one clear reason why not."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from kuamo.contracts import Capability
from kuamo.engines.placement import Placement
from kuamo.errors import KuamoError

HERE_ONLY = {"local_files_only": True, "trust_remote_code": False}
"""What every `from_pretrained` gets: nothing from the network, no code out of a checkpoint."""


def name_of(source: str) -> str:
    """Return what to call a checkpoint: its hub id where it lies in the hub's cache, or its folder's name."""
    folder = Path(source)
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.removeprefix("models--").replace("--", "/")
    return folder.name or source


@contextmanager
def reading(source: str, capability: Capability) -> Iterator[None]:
    """Turn what loading finds wrong with a checkpoint into KuamoError model_unsupported.

    A missing Python package (ModuleNotFoundError) passes: the runtime says which.
    """
    from safetensors import SafetensorError

    _be_quiet()
    try:
        yield
    except ModuleNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        raise unsupported(source, capability, str(error)) from error


@cache
def _be_quiet() -> None:
    """Keep the libraries' progress bars and advice to programmers off the user's terminal."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def unsupported(source: str, capability: Capability, reason: str) -> KuamoError:
    """Return KuamoError model_unsupported with the reason's first line, without its full stop and the folder's path."""
    name = name_of(source)
    line = next((line.strip() for line in reason.splitlines() if line.strip()), "no reason given")
    reason = line.replace(source, name).rstrip(" .")
    return KuamoError("model_unsupported", name=name, capability=capability, reason=reason)


def load_model(
    kind: Any, source: str, capability: Capability, placement: Placement, keep: tuple[str, ...] = (), **changes: Any
) -> Any:
    """Return the model of a class `kind` in evaluation mode, every weight from the checkpoint.

    `keep` are patterns of modules that are not quantised, `changes` go over config.json. Raises KuamoError
    model_unsupported: also where weights are missing, which Transformers would fill with random numbers.
    """
    with reading(source, capability):
        model, found = kind.from_pretrained(
            source, output_loading_info=True, **{**placement.arguments(keep), **HERE_ONLY}, **changes
        )
    if found["missing_keys"]:
        raise unsupported(source, capability, f"weights are missing: {min(found['missing_keys'])} …")
    return model.eval()
