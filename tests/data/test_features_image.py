"""Picture tensors equal the model processor's own, and nearly so where decoding at reduced scale is allowed."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.data.features.image import OVERSAMPLING, TOLERANCE, ImageFeatures
from kuamo.errors import KuamoError
from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits

LIMITS = Limits()
PHOTOGRAPHS = ("cheetah.jpg", "lion.jpg", "frog.jpg", "extreme_ironing.jpg", "waterview.jpg")


def own_processor(folder: Path) -> Any:
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(folder)


def noise(width: int, height: int) -> Image:
    return Image(np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8))


@pytest.fixture(scope="module")
def clip(checkpoint: Callable[[str], Path]) -> tuple[ImageFeatures, Any]:
    folder = checkpoint("clip")
    return ImageFeatures.load(str(folder)), own_processor(folder)


@given(width=st.integers(2, 400), height=st.integers(2, 400))
def test_any_size_gives_the_processors_own_values(clip: tuple[ImageFeatures, Any], width: int, height: int) -> None:
    features, processor = clip
    image = noise(width, height)
    own = processor(images=[image.pil()], return_tensors="np")["pixel_values"]
    np.testing.assert_allclose(features.of([image]), own, atol=1e-5)


@pytest.mark.parametrize("name", ["clip", "siglip", "llava", "qwen2_vl", "smolvlm"])
def test_real_pictures_give_the_processors_own_values(checkpoint: Callable[[str], Path], data: Path, name: str) -> None:
    folder = checkpoint(name)
    features, processor = ImageFeatures.load(str(folder)), own_processor(folder)
    files = sorted((data / "images").iterdir())
    assert len(files) >= 8
    for file in files:
        made = features.read(file.read_bytes(), LIMITS)
        with PIL.Image.open(file) as picture:
            own = processor(images=[picture.convert("RGB")], return_tensors="np")["pixel_values"]
        if name == "qwen2_vl":  # its patches of one picture are the rows
            made = features.of([read_image(file, LIMITS)])
        np.testing.assert_allclose(made, own if name == "qwen2_vl" else own[0], atol=1e-5)
        assert made.dtype == np.float32


def test_batches_have_channels_first(clip: tuple[ImageFeatures, Any]) -> None:
    features, _ = clip
    batch = features.of([noise(50, 40), noise(33, 90), noise(64, 64)])
    assert batch.shape == (3, 3, 32, 32)
    np.testing.assert_array_equal(batch[1], features.of([noise(33, 90)])[0])


@pytest.mark.parametrize(("edge", "enlarged"), [(64, 1), (224, 3)])
def test_reduced_decoding_stays_within_its_tolerance_on_photographs(data: Path, edge: int, enlarged: int) -> None:
    from small_checkpoints import clip_image_processor

    processor = clip_image_processor(edge)
    exact, reduced = ImageFeatures(processor), ImageFeatures(processor, reduced=True)
    deviation = np.array(processor.image_std, dtype=np.float32)[:, None, None]
    differing = 0
    for name in PHOTOGRAPHS:
        with PIL.Image.open(data / "images" / name) as picture:
            size = (picture.width * enlarged, picture.height * enlarged)
            larger = picture.convert("RGB").resize(size, PIL.Image.Resampling.LANCZOS)
        buffer = BytesIO()
        larger.save(buffer, "JPEG", quality=92)
        difference = np.abs(reduced.read(buffer.getvalue(), LIMITS) - exact.read(buffer.getvalue(), LIMITS))
        assert (difference * deviation).mean() <= TOLERANCE
        differing += bool(difference.max())
    assert differing >= 2


def test_reduced_decoding_leaves_small_pictures_and_other_formats_exact(clip: tuple[ImageFeatures, Any]) -> None:
    features, processor = clip
    reduced = ImageFeatures(processor, reduced=True)
    for width, container in ((OVERSAMPLING * 32 * 2 - 1, "JPEG"), (2_000, "PNG")):
        buffer = BytesIO()
        noise(width, width).pil().save(buffer, container)
        file = buffer.getvalue()
        np.testing.assert_array_equal(reduced.read(file, LIMITS), features.read(file, LIMITS))


def test_settings_tell_features_apart(checkpoint: Callable[[str], Path], clip: tuple[ImageFeatures, Any]) -> None:
    features, processor = clip
    assert features.settings == ImageFeatures(processor).settings
    assert features.settings != ImageFeatures(processor, reduced=True).settings
    assert features.settings != ImageFeatures.load(str(checkpoint("siglip"))).settings


def test_a_damaged_picture_is_told(clip: tuple[ImageFeatures, Any]) -> None:
    buffer = BytesIO()
    noise(200, 200).pil().save(buffer, "JPEG")
    with pytest.raises(KuamoError) as caught:
        clip[0].read(buffer.getvalue()[:2_000], LIMITS)
    assert caught.value.code == "image_damaged"
