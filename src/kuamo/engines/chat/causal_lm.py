"""Conversations by a causal language model of Transformers (Llama, Qwen, …), through its tokenizer's chat template."""

from collections.abc import Generator
from typing import Any, Self

from kuamo.contracts import ChatRequest, Ending, Precision
from kuamo.engines.checkpoint import HERE_ONLY, load_model, reading, unsupported
from kuamo.engines.generation import encode, stream
from kuamo.engines.placement import Placement, place
from kuamo.engines.tool_calls import knows_tools, tools, turn, without_calls
from kuamo.errors import KuamoError


class CausalLm:
    """Any checkpoint that AutoModelForCausalLM loads and whose tokenizer has a chat template."""

    def __init__(self, model: Any, tokenizer: Any, placement: Placement) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self.calls_tools = knows_tools(str(tokenizer.chat_template))
        self.device = placement.device
        self.precision = placement.precision

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load a checkpoint folder. Raises KuamoError model_unsupported."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        with reading(source, "chat"):
            tokenizer = AutoTokenizer.from_pretrained(source, **HERE_ONLY)
        if not tokenizer.chat_template:
            raise unsupported(source, "chat", "it has no chat template; it was not tuned for conversation")
        placement = place(source, device, precision)
        return cls(load_model(AutoModelForCausalLM, source, "chat", placement), tokenizer, placement)

    def chat(self, request: ChatRequest) -> Generator[str, None, Ending]:
        """Yield the reply as it is written; pictures in the conversation are refused.

        Raises KuamoError sees_no_pictures, conversation_too_long or conversation_refused.
        """
        if any(message.images for message in request.messages):
            raise KuamoError("sees_no_pictures")
        messages = [turn(message, self._tokenizer) for message in request.messages]
        inputs = encode(self._tokenizer, messages, tools(request, self._tokenizer)).to(self._model.device)
        pieces = stream(self._model, self._tokenizer, inputs, request)
        return (yield from without_calls(pieces) if request.tools else pieces)
