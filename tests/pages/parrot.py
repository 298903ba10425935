"""A made-up engine that chats and sees: it repeats what it was told, counts the turns and measures the pictures."""

import threading
import time
from collections.abc import Iterator
from typing import Any, Self

from kuamo.contracts import ChatRequest
from kuamo.errors import KuamoError

ROW = {
    "name": "parrot",
    "capabilities": ["chat", "answer"],
    "engine": "parrot:Parrot",
    "source": "package:parrot",
    "profiles": ["nano"],
}


class Parrot:
    """Says the messages back, and of what size the pictures are; breaks, or has enough, when told to."""

    device = "cpu"
    precision = "fp32"
    concurrent = True
    may_go_on = threading.Event()
    stopped = 0

    @classmethod
    def load(cls, source: str, *, device: str, precision: str, **options: Any) -> Self:
        """Return the engine."""
        return cls()

    def chat(self, request: ChatRequest) -> Iterator[str]:
        """Answer in two pieces."""
        told = [message.text for message in request.messages if message.role == "user"]
        if told[-1].endswith("break"):
            raise RuntimeError("a bug of ours")
        if told[-1].endswith("不停地说"):
            raise KuamoError("conversation_too_long", tokens=10, window=9)
        if told[-1] == "never end":
            yield from self._forever()
        if told[-1] == "wait":
            yield "I am waiting here. And"
            assert self.may_go_on.wait(60)
            yield " now I go on."
            return
        yield f"Turn {len(told)}: "
        yield " | ".join(told)

    def _forever(self) -> Iterator[str]:
        try:
            while True:
                yield "On and on. "
                time.sleep(0.05)
        finally:
            Parrot.stopped += 1

    def answer(self, request: ChatRequest) -> Iterator[str]:
        """Tell the sizes of the pictures, then as in a chat."""
        yield "".join(f"{image.width}x{image.height} " for message in request.messages for image in message.images)
        yield from self.chat(request)
