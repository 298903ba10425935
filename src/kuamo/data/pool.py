"""Work on all cores, its results in order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

AHEAD = 3  # pieces a worker has waiting, so that it never waits


@contextmanager
def workers(count: int) -> Iterator[Executor]:
    """Give `count` worker processes, with 1 a thread. What has begun is finished at the end, the rest is not begun.

    Workers end with this process, however it ends.
    """
    pool = ThreadPoolExecutor(1) if count == 1 else _processes(count)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _processes(count: int) -> ProcessPoolExecutor:
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(["kuamo.data.examine"])
    return ProcessPoolExecutor(count, context, initializer=_begin)


def _begin() -> None:
    """Leave Ctrl-C to the parent, and die with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def in_order(
    pool: Executor, work: Callable[[Item], Made], items: Iterable[Item], ahead: int
) -> Iterator[tuple[Item, Made]]:
    """Yield each item with what became of it, in order; at most `ahead` items are taken before they are needed."""
    begun: deque[tuple[Item, Future[Made]]] = deque()
    for item in items:
        begun.append((item, pool.submit(work, item)))
        if len(begun) > ahead:
            first, future = begun.popleft()
            yield first, future.result()
    for first, future in begun:
        yield first, future.result()
