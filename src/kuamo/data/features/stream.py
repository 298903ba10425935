"""Work on many items on all cores, in order, with a bounded number under way."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from kuamo.data.features.store import FeatureStore
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits

Item = TypeVar("Item")
Made = TypeVar("Made")

AHEAD = 4  # items under way for each thread: keeps all busy, and memory flat


class Feature(Protocol):
    """What turns one file into an array: ImageFeatures, LogMel, SpeechFeatures."""

    def read(self, data: bytes, limits: Limits, name: str | None = None) -> NDArray[np.float32]:
        """Return the features of a file's bytes. Raises KuamoError where it cannot be decoded."""
        ...


def stream_features(
    files: Iterable[Callable[[], bytes]],
    feature: Feature,
    limits: Limits,
    store: FeatureStore | None = None,
    threads: int | None = None,
) -> Iterator[NDArray[np.float32] | KuamoError]:
    """Yield the features of each file in order, or the KuamoError that says why there are none.

    `files` are functions that read one each (`Path.read_bytes`, `Media.read`); `store` keeps what was computed, and
    must have been opened with the same feature's settings. See `stream`.
    """

    def work(read: Callable[[], bytes]) -> NDArray[np.float32]:
        data = read()
        compute = partial(feature.read, data, limits)
        return store.features(data, compute) if store else compute()

    return stream(work, files, threads)


def stream(
    work: Callable[[Item], Made], items: Iterable[Item], threads: int | None = None
) -> Iterator[Made | KuamoError]:
    """Yield work(item) of each item in order; where it raises KuamoError, that error, and go on.

    Threads (None: one for each core) do: decoding, resizing and transforms release Python's lock. Items are taken
    from the iterable as there is room for them.
    """
    threads = threads or os.cpu_count() or 1
    under_way: deque[Future[Made | KuamoError]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                under_way.append(pool.submit(_outcome, work, item))
                if len(under_way) >= AHEAD * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _outcome(work: Callable[[Item], Made], item: Item) -> Made | KuamoError:
    try:
        return work(item)
    except KuamoError as error:
        return error
