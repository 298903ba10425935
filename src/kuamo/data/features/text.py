"""Texts to tokens by the model's own tokenizer."""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from kuamo.data.features.processor import load_own
from kuamo.media.limits import Limits
from kuamo.media.text import clean_text

TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
NO_LIMIT = 1_000_000  # tokenizers of models without a window say a number far beyond it
# Emoji and other pictures, private use, unassigned, and marks without a shape of their own.
SPECIAL = {"So", "Sk", "Co", "Cn", "Cs", "Cf"}
JOINERS = "\u200d\ufe0e\ufe0f"

Case = Literal["keep", "lower", "upper"]


def clean(text: str, limits: Limits, *, special: bool = False, case: Case = "keep") -> str:
    """Return a text fit for training: no markup, control characters or repeated spaces, composed (NFC), full-width
    letters and digits narrowed.

    Unless `special`, emoji and private characters go too; punctuation stays, Chinese and other. `case` "lower" and
    "upper" are for models whose vocabulary has one case alone and whose tokenizer does not see to it.
    Raises KuamoError text_empty or text_too_long.
    """
    text = clean_text(text, limits)
    text = "".join(map(_narrow, html.unescape(TAG.sub(" ", text))))
    if not special:
        text = "".join(" " if unicodedata.category(c) in SPECIAL else c for c in text if c not in JOINERS)
    text = clean_text(text, limits)
    return {"keep": text, "lower": text.lower(), "upper": text.upper()}[case]


def _narrow(character: str) -> str:
    """Return a full-width letter or digit as a plain one: Ａ as A, ７ as 7; punctuation as it is."""
    narrow = unicodedata.normalize("NFKC", character)
    return narrow if narrow.isascii() and narrow.isalnum() else character


@dataclass(frozen=True, eq=False)
class Tokens:
    """A batch of texts, each (n, length), int64: token numbers, 1 where a token counts and 0 where it is padding.

    `cut`, shape (n,), says which texts were too long and lost their end.
    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    cut: NDArray[np.bool_]


class TextFeatures:
    """A model's own tokenizer: its special tokens, its case, its length."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        if tokenizer.pad_token is None:  # models that only write have none; the mask hides it
            tokenizer.pad_token = tokenizer.eos_token

    @classmethod
    def load(cls, folder: str) -> Self:
        """Load a checkpoint folder's tokenizer. Raises KuamoError no_processor."""
        from transformers import AutoTokenizer

        return cls(load_own(AutoTokenizer, folder))

    @property
    def longest(self) -> int | None:
        """The most tokens that the model takes (CLIP: 77); None where its tokenizer sets no bound."""
        length = self._tokenizer.model_max_length
        return int(length) if length < NO_LIMIT else None

    def of(self, texts: Sequence[str], length: int | None = None) -> Tokens:
        """Tokenize: each text cut and padded to `length` tokens, special tokens included.

        Without a length, to the model's own; where it has none, nothing is cut and all are as long as the longest.
        Texts with image placeholders are no case for this: their picture's tokens must not be cut.
        """
        length = length or self.longest
        whole = self._tokenizer(list(texts), verbose=False)["input_ids"]
        bounds = {"padding": "max_length", "truncation": True, "max_length": length} if length else {"padding": True}
        batch = self._tokenizer(list(texts), return_attention_mask=True, return_tensors="np", **bounds)
        cut = np.array([bool(length) and len(tokens) > (length or 0) for tokens in whole])
        return Tokens(batch["input_ids"].astype(np.int64), batch["attention_mask"].astype(np.int64), cut)
