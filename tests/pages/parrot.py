"""A made-up engine that chats and sees: it repeats what it was told, counts the turns and measures the pictures."""

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
        yield f"Turn {len(told)}: "
        yield " | ".join(told)

    def answer(self, request: ChatRequest) -> Iterator[str]:
        """Tell the sizes of the pictures, then as in a chat."""
        yield "".join(f"{image.width}x{image.height} " for message in request.messages for image in message.images)
        yield from self.chat(request)
