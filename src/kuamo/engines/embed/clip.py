"""Texts and pictures in one space by CLIP and SigLIP (Radford et al. 2021; Zhai et al. 2023)."""

from collections.abc import Iterator, Sequence
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from kuamo.contracts import EmbedRequest, Precision
from kuamo.engines.checkpoint import HERE_ONLY, load_model, reading
from kuamo.engines.placement import Placement, place

BATCH = 32

Item = TypeVar("Item")


class Clip:
    """A dual encoder. Texts are cut and padded to the length the model was trained with (CLIP 77, SigLIP 64 tokens)."""

    def __init__(self, model: Any, processor: Any, placement: Placement) -> None:
        self._model = model
        self._processor = processor
        self._dtype = placement.dtype
        self.device = placement.device
        self.precision = placement.precision

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load a checkpoint folder. Raises KuamoError model_unsupported."""
        from transformers import AutoModel, AutoProcessor

        with reading(source, "embed"):
            processor = AutoProcessor.from_pretrained(source, **HERE_ONLY)
        placement = place(source, device, precision)
        return cls(load_model(AutoModel, source, "embed", placement), processor, placement)

    def embed(self, request: EmbedRequest) -> NDArray[np.float32]:
        """Return unit rows, shape (n, d): one for each text, then one for each picture."""
        import torch

        with torch.inference_mode():
            rows = [
                *map(self._texts, _batches(request.texts)),
                *map(self._pictures, _batches([image.pil() for image in request.images])),
            ]
            unit = torch.nn.functional.normalize(torch.cat(rows).float(), dim=-1)
        vectors: NDArray[np.float32] = unit.cpu().numpy()
        return vectors

    def _texts(self, texts: Sequence[str]) -> Any:
        inputs = self._processor.tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        return self._model.get_text_features(**inputs.to(self._model.device)).pooler_output

    def _pictures(self, pictures: Sequence[Any]) -> Any:
        inputs = self._processor.image_processor(images=list(pictures), return_tensors="pt")
        return self._model.get_image_features(**inputs.to(self._model.device, dtype=self._dtype)).pooler_output


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
