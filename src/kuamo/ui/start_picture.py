"""The picture that a drawing starts from, and what is painted on it: there alone it is drawn anew."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits
from kuamo.ui.theme import AMBER

PAINTED = 128  # the brush's darkest channel over white: below this, more than half of it is paint


def start_editor(**options: Any) -> gr.ImageEditor:
    """Return a place for a picture and a brush; it hands on files and bytes that nothing has opened."""
    editor = gr.ImageEditor(
        type="filepath", sources=["upload", "clipboard"], transforms=[], layers=False, buttons=[], image_mode="RGBA",
        brush=gr.Brush(colors=[AMBER], color_mode="fixed"), **options,
    )  # fmt: skip
    # As in `picture_upload`: Kuamo's limits come before any decoding.
    editor.preprocess = lambda payload: _unopened(editor, payload)  # type: ignore
    return editor


def _unopened(editor: gr.ImageEditor, payload: Any) -> tuple[bytes | Path, ...]:
    """Return the picture and its layers of paint, as they came: from the page as bytes, or as files it has sent."""
    if payload is None:
        return ()
    parts = editor.blob_storage.pop(payload.id, None) if payload.id else payload
    if parts is None or parts.background is None:
        return ()
    given = (part for part in (parts.background, *(parts.layers or ())) if part is not None)
    return tuple(part if isinstance(part, bytes) else Path(part.path) for part in given)


def read_start(parts: tuple[bytes | Path, ...], limits: Limits) -> tuple[Image | None, Image | None]:
    """Return the picture to start from and, where something is painted on it, the mask of that; else None.

    Raises what `read_image` raises.
    """
    if not parts:
        return None, None
    image, *layers = (read_image(part, limits) for part in parts)
    painted = [layer.pixels.min(axis=2) < PAINTED for layer in layers]
    mask = np.logical_or.reduce([layer for layer in painted if layer.shape == image.pixels.shape[:2]] or [np.False_])
    if not mask.any():
        return image, None
    return image, Image(np.repeat(np.uint8(255) * mask[..., None], 3, axis=2))
