"""Results that come in pieces."""

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Generic, Self, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


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
