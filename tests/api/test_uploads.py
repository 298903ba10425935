"""Pictures that were asked about: kept for a while, under names that cannot be guessed."""

import os
import re
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from kuamo.api.uploads import Uploads
from kuamo.errors import KuamoError
from kuamo.media.image import Image


def picture() -> Image:
    return Image(np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8))


def test_a_kept_picture_is_returned_as_it_was_seen(client: TestClient, png: bytes) -> None:
    sent = png + b"<script>after the end</script>"
    place = client.post("/qa", data={"question": "?"}, files={"image": ("a.html", sent, "text/html")}).json()[
        "image_url"
    ]
    answer = client.get(place)
    assert re.fullmatch(r"/uploads/[0-9a-f]{32}", place)
    assert answer.headers["content-type"] == "image/png"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert b"script" not in answer.content
    assert PIL.Image.open(BytesIO(answer.content)).getpixel((0, 0)) == (0, 128, 128)


@pytest.mark.parametrize(
    "name", ["0" * 32, "0" * 31, "A" * 32, "..%2f..%2fetc%2fpasswd", "..", "%00", "0" * 32 + ".png", "照片"]
)
def test_any_other_name_is_not_there(client: TestClient, name: str) -> None:
    assert client.get(f"/uploads/{name}").status_code == 404


@given(st.text(max_size=40))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(KuamoError) as caught:
        Uploads(Path("/"), 60).read(name)
    assert caught.value.code == "upload_gone"


def test_pixels_are_kept_exactly_and_names_differ(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 60)
    first, second = uploads.keep(picture()), uploads.keep(picture())
    assert first != second
    assert (np.array(PIL.Image.open(BytesIO(uploads.read(first)))) == picture().pixels).all()


def test_a_picture_whose_time_is_over_is_gone_even_before_it_is_swept(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 60)
    old, new = uploads.keep(picture()), uploads.keep(picture())
    os.utime(tmp_path / f"{old}.png", (time.time() - 61,) * 2)
    with pytest.raises(KuamoError):
        uploads.read(old)
    uploads.sweep()
    assert [path.stem for path in tmp_path.iterdir()] == [new]


def test_the_server_sweeps_what_an_earlier_run_left(client: TestClient, kept: Path, png: bytes) -> None:
    client.post("/qa", data={"question": "?"}, files={"image": png})
    (left,) = kept.iterdir()
    os.utime(left, (0, 0))
    with TestClient(client.app):
        deadline = time.monotonic() + 5
        while left.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert not left.exists()


def test_other_users_of_the_machine_cannot_list_the_folder(tmp_path: Path) -> None:
    Uploads(tmp_path / "kept", 60).keep(picture())
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
