"""Randomness that repeats: the same request gives the same result."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Draw torch's random numbers from `seed` inside, and go on with the old state after.

    The state is the process's: engines that draw at the same time in other threads share it.
    """
    import torch

    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
