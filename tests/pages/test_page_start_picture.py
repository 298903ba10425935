"""The picture a drawing starts from: nothing is decoded before the limits, and paint becomes a mask."""

from io import BytesIO

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest
from test_page_answer import png_of

from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.ui.start_picture import read_start, start_editor
from kuamo.ui.theme import AMBER


def png(picture: PIL.Image.Image) -> bytes:
    data = BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def painted(box: tuple[int, int, int, int]) -> bytes:
    """Return a layer of paint as the editor sends it: a rectangle on nothing."""
    layer = PIL.Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    PIL.ImageDraw.Draw(layer).rectangle(box, fill=AMBER)
    return png(layer)


TEAL = png(PIL.Image.new("RGB", (40, 30), "teal"))


def test_what_is_painted_is_white_in_the_mask() -> None:
    image, mask = read_start((TEAL, painted((10, 5, 19, 14))), Limits())
    assert image is not None
    assert mask is not None
    assert (image.width, image.height) == (mask.width, mask.height) == (40, 30)
    assert np.argwhere(mask.pixels[..., 0]).min(axis=0).tolist() == [5, 10]
    assert np.argwhere(mask.pixels[..., 0]).max(axis=0).tolist() == [14, 19]
    assert set(np.unique(mask.pixels)) == {0, 255}


def test_without_paint_there_is_no_mask_and_without_a_picture_nothing() -> None:
    empty = png(PIL.Image.new("RGBA", (40, 30), (0, 0, 0, 0)))
    image, mask = read_start((TEAL, empty), Limits())
    assert image is not None
    assert mask is None
    assert read_start((), Limits()) == (None, None)


@pytest.mark.parametrize(
    ("part", "code"),
    [(png_of(30_000, 30_000), "image_too_large"), (b"not a picture", "not_an_image"), (TEAL[:60], "image_damaged")],
)
def test_a_picture_or_layer_that_cannot_be_used_is_refused(part: bytes, code: str) -> None:
    for parts in ((part,), (TEAL, part)):
        with pytest.raises(KuamoError) as caught:
            read_start(parts, Limits())
        assert caught.value.code == code


def test_the_editor_hands_on_what_it_was_sent_unopened() -> None:
    editor = start_editor()
    data = editor.data_model(id="one")
    editor.blob_storage["one"] = type("Blobs", (), {"background": b"not a picture", "layers": [None, b"nor this"]})
    assert editor.preprocess(data) == (b"not a picture", b"nor this")
    assert editor.preprocess(data) == ()
    assert editor.preprocess(None) == ()
