"""Small real media and sources for the tests of data sets."""

import io
import json
import math
import struct
import wave
from pathlib import Path

import PIL.Image


def png(colour: int, side: int = 16) -> bytes:
    """Return a picture; another number, another picture."""
    buffer = io.BytesIO()
    shade = (colour * 37 % 256, colour * 11 % 256, colour // 7 % 256)
    PIL.Image.new("RGB", (side, side), shade).save(buffer, "PNG")
    return buffer.getvalue()


def tone(hertz: float, seconds: float = 0.2, rate: int = 8000) -> bytes:
    """Return a WAV file with a tone."""
    samples = [round(9000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(round(seconds * rate))]
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return buffer.getvalue()


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    """Write files by their paths in a folder; return the folder."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def lines(*records: object) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
