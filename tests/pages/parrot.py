"""A made-up chat engine: it repeats what it was told and counts the turns it remembers."""

from collections.abc import Iterator
from typing import Any, Self

from kuamo.contracts import ChatRequest

ROW = {
    "name": "parrot",
    "capabilities": ["chat"],
    "engine": "parrot:Parrot",
    "source": "package:parrot",
    "profiles": ["nano"],
}


class Parrot:
    """Says the last message back; breaks when told to."""

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
        if told[-1] == "break":
            raise RuntimeError("a bug of ours")
        yield f"Turn {len(told)}: "
        yield " | ".join(told)
