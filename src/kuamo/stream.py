"""Results that come in pieces."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from queue import SimpleQueue
from typing import Any, Generic, Self, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")
Shown = TypeVar("Shown")


class Stream(Iterator[Piece], Generic[Piece, Result]):
    """Pieces as they come, then the whole. The first piece is made at once, so that faults show before any is sent."""

    def __init__(self, pieces: Generator[Piece, None, Result]) -> None:
        self._pieces = pieces
        self._result: Result | None = None
        self._ahead: list[Piece] = []
        with suppress(StopIteration):
            self._ahead.append(self._pull())

    def _pull(self) -> Piece:
        try:
            return next(self._pieces)
        except StopIteration as end:
            self._result = end.value if end.value is not None else self._result
            raise

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Piece:
        return self._ahead.pop() if self._ahead else self._pull()

    def result(self) -> Result:
        """Run to the end and return the whole."""
        for _ in self:
            pass
        assert self._result is not None
        return self._result

    def close(self) -> None:
        """Stop early: the engine is released and makes nothing more."""
        self._pieces.close()


def passed_on(
    pieces: Generator[Piece, None, Result], shown: Callable[[Piece], Iterable[Shown]]
) -> Generator[Shown, None, Result]:
    """Yield what each piece is to be shown as, and return the pieces' result; closed early, it closes them."""
    with closing(pieces):
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                result: Result = end.value
                return result
            yield from shown(piece)


def merged(*sources: Generator[Piece, None, Any]) -> Generator[Piece, None, tuple[Any, ...]]:
    """Run generators at the same time, each in a thread of its own; yield their pieces in order of arrival.

    Returns their results, in the order of the sources. When one raises, or this is closed, the others stop after the
    piece that they are at; all threads have ended when this has.
    """
    arrived: SimpleQueue[Piece | Future[Any]] = SimpleQueue()
    stopped = threading.Event()

    def run(source: Generator[Piece, None, Any]) -> Any:
        try:
            arrived.put(next(source))
            while not stopped.is_set():
                arrived.put(next(source))
        except StopIteration as end:
            return end.value
        finally:
            source.close()

    with ThreadPoolExecutor(len(sources), "merged") as pool:
        runs = [pool.submit(run, source) for source in sources]
        for future in runs:
            future.add_done_callback(arrived.put)
        try:
            for _ in runs:
                while not isinstance(piece := arrived.get(), Future):
                    yield piece
                piece.result()
        finally:
            stopped.set()
    return tuple(future.result() for future in runs)
