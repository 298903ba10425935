"""Chance that is a row's own: the same for the same seed and row, whatever comes before it."""

import hashlib

import numpy as np


def chance(seed: int, row_id: str, copy: int = 1) -> np.random.Generator:
    """Return the random numbers of a row's `copy`-th augmentation (1, 2 …), independent of all others."""
    digest = hashlib.blake2b(f"{seed}\0{row_id}\0{copy}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
