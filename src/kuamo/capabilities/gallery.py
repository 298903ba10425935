"""Drawn pictures as PNG files that carry their settings, and the folder of them as a gallery."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import PIL.Image
from PIL.PngImagePlugin import PngInfo

from kuamo import __version__
from kuamo.contracts import DrawRequest, Picture, Trace
from kuamo.errors import KuamoError
from kuamo.media.files import write
from kuamo.media.image import DAMAGED

KEY = "kuamo"
"""The PNG text chunk that holds the settings as JSON; `parameters` holds them as image tools write and read them."""

SAMPLERS = {
    "dpm++": "DPM++ 2M", "euler": "Euler", "euler-a": "Euler a", "ddim": "DDIM", "unipc": "UniPC", "lcm": "LCM",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A picture of a gallery: its file, and the settings by the names that DrawRequest has for them.

    Beside these: `original`, the prompt that `prompt` is a translation of, or None; `from_image` and `from_mask`,
    whether it was drawn over a picture; `made`, when; `traces`, what made it.
    """

    path: Path
    settings: dict[str, Any]


def save_picture(
    picture: Picture, request: DrawRequest, traces: tuple[Trace, ...], folder: Path, original: str | None = None
) -> Path:
    """Write a picture with its settings to a new file of a folder, made if need be; return the file's path.

    The name holds the time and nothing of the prompt. Raises KuamoError cannot_write.
    """
    path = folder / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KuamoError("cannot_write", name=folder, reason=error.strerror) from error
    write(path, as_png(picture, request, traces, original))
    return path


def as_png(picture: Picture, request: DrawRequest, traces: tuple[Trace, ...], original: str | None = None) -> bytes:
    """Return a PNG file of a picture and the request that made it; `original`: what its prompt is a translation of."""
    settings = _settings(picture, request, traces, original)
    notes = PngInfo()
    notes.add_itxt("parameters", _parameters(settings))
    notes.add_itxt(KEY, json.dumps(settings, ensure_ascii=False))
    buffer = BytesIO()
    picture.image.pil().save(buffer, "PNG", pnginfo=notes)
    return buffer.getvalue()


def _settings(
    picture: Picture, request: DrawRequest, traces: tuple[Trace, ...], original: str | None
) -> dict[str, Any]:
    """Return what makes this picture again, one of the request's pictures."""
    drawn = next((trace.model for trace in traces if trace.capability == "draw"), request.model)
    return {
        "prompt": request.prompt, "original": original, "negative_prompt": request.negative_prompt,
        "width": picture.image.width, "height": picture.image.height, "steps": request.steps,
        "guidance": request.guidance, "scheduler": request.scheduler, "seed": picture.seed, "model": drawn,
        "strength": request.strength, "from_image": request.image is not None, "from_mask": request.mask is not None,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"), "kuamo": __version__,
        "traces": [asdict(trace) for trace in traces],
    }  # fmt: skip


def _parameters(settings: dict[str, Any]) -> str:
    """Return settings in the form of the Stable Diffusion web UI (its "infotext"), which image tools read."""
    named = {
        "Steps": settings["steps"],
        "Sampler": SAMPLERS.get(settings["scheduler"] or ""),
        "CFG scale": settings["guidance"],
        "Seed": settings["seed"],
        "Size": f"{settings['width']}x{settings['height']}",
        "Model": settings["model"],
        "Denoising strength": settings["strength"] if settings["from_image"] else None,
        "Version": f"Kuamo {settings['kuamo']}",
    }
    unwanted = settings["negative_prompt"]
    line = ", ".join(f"{name}: {value}" for name, value in named.items() if value is not None)
    return "\n".join(filter(None, (settings["prompt"], unwanted and f"Negative prompt: {unwanted}", line)))


def read_gallery(folder: Path, most: int) -> list[Entry]:
    """Return the newest pictures of a folder that Kuamo drew, the last first; no pixel is decoded."""
    return list(islice(_entries(folder), most))


def _entries(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.glob("*.png"), reverse=True):
        if settings := read_settings(path):
            yield Entry(path, settings)


def read_settings(file: Path | BytesIO) -> dict[str, Any]:
    """Return the settings in a picture's file; empty where it is none of Kuamo's, damaged or gone."""
    try:
        with PIL.Image.open(file, formats=["PNG"]) as picture:
            found = json.loads(picture.info.get(KEY, ""))
    except (PIL.Image.DecompressionBombError, *DAMAGED):
        return {}
    return found if isinstance(found, dict) else {}
