"""Made-up engines for tests of the faces: what they say follows from what they are given."""

import threading
import time
from collections.abc import Generator, Iterator
from typing import Any, Self

from kuamo.contracts import ChatRequest, Ending, Line, ReadRequest, ToolCall


class Measurer:
    """Answers with the size of the picture and the question; waits at `gate` and fails with `fault` when told to."""

    device = "cpu"
    precision = "fp32"
    concurrent = True
    gate = threading.Event()
    waiting = threading.Semaphore(0)

    def __init__(self, fault: str, waits: bool) -> None:
        self._fault = fault
        self._waits = waits

    @classmethod
    def load(cls, source: str, *, device: str, precision: str, fault: str = "", waits: bool = False) -> Self:
        """Load nothing."""
        return cls(fault, waits)

    def answer(self, request: ChatRequest) -> Iterator[str]:
        """Say width x height, then the last message's text."""
        if self._waits:
            self.waiting.release()
            assert self.gate.wait(30)
        if self._fault:
            raise RuntimeError(self._fault)
        message = request.messages[-1]
        (image,) = message.images
        yield f"{image.width}x{image.height} "
        yield message.text


class Blind:
    """Sees no text in any picture."""

    device = "cpu"
    precision = "fp32"
    concurrent = True

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        """Load nothing."""
        return cls()

    def read(self, request: ReadRequest) -> tuple[Line, ...]:
        """Read nothing."""
        return ()


class Endless:
    """Talks until it is closed; counts its words, and says when it was closed."""

    device = "cpu"
    precision = "fp32"
    concurrent = True
    words = 0
    closed = threading.Event()

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        """Load nothing."""
        return cls()

    def chat(self, request: ChatRequest) -> Iterator[str]:
        """Say "on " a thousand times a second; fail at the third word where the request says so."""
        try:
            while True:
                Endless.words += 1
                if Endless.words == 3 and request.messages[-1].text == "fail":
                    raise RuntimeError("a secret of /etc/shadow")
                yield "on "
                time.sleep(0.001)
        finally:
            self.closed.set()


class Caller:
    """Calls each tool it is offered with the last message's text, and repeats what a tool gave."""

    device = "cpu"
    precision = "fp32"
    concurrent = True
    calls_tools = True

    @classmethod
    def load(cls, source: str, *, device: str, precision: str) -> Self:
        """Load nothing."""
        return cls()

    def chat(self, request: ChatRequest) -> Generator[str, None, Ending]:
        """Say what was called and given so far, then call."""
        last = request.messages[-1]
        yield " ".join(call.name for message in request.messages for call in message.calls)
        if last.role == "tool":
            yield f" gave {last.text}"
            return Ending(1, 1, "stop")
        calls = tuple(ToolCall(tool["function"]["name"], {"of": last.text}) for tool in request.tools)
        return Ending(1, 1, "calls" if calls else "stop", calls)


def rows(in_force: bool = True) -> list[dict[str, Any]]:
    """Return catalogue rows: a measurer, one that waits, one that fails, an endless talker, a caller, a reader."""
    common = {"source": "package:made_up", "profiles": ["nano"] if in_force else []}
    measurer = {**common, "capabilities": ["answer"], "engine": "made_up:Measurer"}
    return [
        {**measurer, "name": "measurer"},
        {**measurer, "name": "waiter", "options": {"waits": True}},
        {**measurer, "name": "failure", "options": {"fault": "a secret of /etc/shadow"}},
        {**common, "name": "endless", "capabilities": ["chat"], "engine": "made_up:Endless", "profiles": []},
        {**common, "name": "caller", "capabilities": ["chat"], "engine": "made_up:Caller", "profiles": []},
        {**common, "name": "blind", "capabilities": ["read"], "engine": "made_up:Blind"},
    ]
