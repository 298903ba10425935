"""CLIP and SigLIP checkpoints: texts and pictures to unit vectors."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kuamo.contracts import EmbedRequest
from kuamo.engines.embed.clip import BATCH, Clip
from kuamo.errors import KuamoError
from kuamo.media.image import Image

FAMILIES = ["clip", "siglip"]
TEXTS = ("a red car", "今天天气晴朗", "a black cat " * 60)


def pictures(count: int) -> tuple[Image, ...]:
    random = np.random.default_rng(0)
    return tuple(Image(random.integers(0, 255, (20 + n, 40, 3), dtype=np.uint8)) for n in range(count))


def load(folder: Path, precision: str = "fp32") -> Clip:
    return Clip.load(str(folder), device="cpu", precision=precision)


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_are_unit_vectors_in_order_however_they_are_batched(
    family: str, checkpoint: Callable[[str], Path]
) -> None:
    engine = load(checkpoint(family))
    many = pictures(BATCH + 3)
    vectors = engine.embed(EmbedRequest(images=many))
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(many)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    alone = engine.embed(EmbedRequest(images=many[-1:]))
    np.testing.assert_allclose(vectors[-1:], alone, atol=1e-5)
    texts = engine.embed(EmbedRequest(texts=TEXTS))
    np.testing.assert_allclose(texts[1:2], engine.embed(EmbedRequest(texts=TEXTS[1:2])), atol=1e-5)
    assert texts.shape[1] == vectors.shape[1]


def features(model: Any, processor: Any, padding: Any, length: int, text: str) -> np.ndarray[Any, Any]:
    inputs = processor(text=[text], padding=padding, max_length=length, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        row = model.get_text_features(**inputs).pooler_output[0].numpy()
    return row / np.linalg.norm(row)


@pytest.mark.parametrize(("family", "padding", "length"), [("clip", True, 77), ("siglip", "max_length", 16)])
def test_texts_are_padded_and_cut_as_the_model_was_trained(
    family: str, padding: Any, length: int, checkpoint: Callable[[str], Path]
) -> None:
    from transformers import AutoModel, AutoProcessor

    folder = checkpoint(family)
    vectors = load(folder).embed(EmbedRequest(texts=TEXTS))
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(vector, features(model, processor, padding, length, text), atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_still_gives_unit_rows(family: str, checkpoint: Callable[[str], Path]) -> None:
    vectors = load(checkpoint(family), "bf16").embed(EmbedRequest(images=pictures(2), texts=TEXTS[:1]))
    assert vectors.shape[0] == 3
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_damaged_checkpoint_says_why(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    cut = shutil.copytree(checkpoint("clip"), tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:9000])
    bare = shutil.copytree(checkpoint("clip"), tmp_path / "bare")
    (bare / "processor_config.json").unlink()
    other = shutil.copytree(checkpoint("clip"), tmp_path / "other")
    settings = json.loads((other / "config.json").read_text())
    settings["text_config"]["hidden_size"] = 64
    (other / "config.json").write_text(json.dumps(settings))
    for folder in (cut, bare, other):
        with pytest.raises(KuamoError) as caught:
            load(folder)
        assert caught.value.code == "model_unsupported"
