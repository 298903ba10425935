"""Questions about pictures by a vision-language model of Transformers, through its processor's chat template."""

from collections.abc import Generator
from typing import Any, Self

from kuamo.contracts import ChatRequest, Ending, Message, Precision
from kuamo.engines.checkpoint import HERE_ONLY, load_model, reading, unsupported
from kuamo.engines.generation import encode, plain, stream
from kuamo.engines.placement import Placement, place

SIGHT = r".*(vision|visual|projector|connector|aligner)[^.]*"
"""The vision tower and what joins it to the language model, in the names that checkpoints use: never quantised."""


class VisionLanguage:
    """Any checkpoint that AutoModelForImageTextToText loads: LLaVA, Qwen-VL, SmolVLM, Gemma 3 and their kin."""

    def __init__(self, model: Any, processor: Any, placement: Placement) -> None:
        self._model = model
        self._processor = processor
        self._dtype = placement.dtype
        self.device = placement.device
        self.precision = placement.precision

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load a checkpoint folder. Raises KuamoError model_unsupported."""
        from transformers import AutoModelForImageTextToText

        with reading(source, "answer"):
            processor = _load_processor(source)
        if not processor.chat_template:
            raise unsupported(source, "answer", "it has no chat template; it was not tuned for conversation")
        placement = place(source, device, precision)
        model = load_model(AutoModelForImageTextToText, source, "answer", placement, keep=(SIGHT,))
        return cls(model, processor, placement)

    def answer(self, request: ChatRequest) -> Generator[str, None, Ending]:
        """Yield the reply to a conversation, with pictures in any of its turns or none, as it is written.

        Raises KuamoError conversation_too_long or conversation_refused.
        """
        messages = [self._turn(message) for message in request.messages]
        inputs = encode(self._processor, messages).to(self._model.device, dtype=self._dtype)
        return (yield from stream(self._model, self._processor.tokenizer, inputs, request))

    chat = answer

    def _turn(self, message: Message) -> dict[str, Any]:
        pictures = [{"type": "image", "image": image.pil()} for image in message.images]
        text = {"type": "text", "text": plain(message.text, self._processor.tokenizer)}
        return {"role": message.role, "content": [*pictures, text]}


def _load_processor(source: str) -> Any:
    from transformers import AutoConfig
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
    from transformers.utils import is_torchvision_available

    kind = PROCESSOR_MAPPING[type(AutoConfig.from_pretrained(source, **HERE_ONLY))]
    if "video_processor" in kind.get_attributes() and not is_torchvision_available():
        kind = _without_video(kind)
    return kind.from_pretrained(source, **HERE_ONLY)


def _without_video(kind: Any) -> Any:
    """Return a processor class for texts and pictures alone: the video part of the family's own wants torchvision."""

    from transformers import ProcessorMixin

    class Pictures(kind):  # type: ignore[misc]
        apply_chat_template = ProcessorMixin.apply_chat_template

        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in kind.get_attributes() if name != "video_processor"]

        @classmethod
        def from_args_and_dict(cls, args: Any, processor_dict: dict[str, Any], **options: Any) -> Any:
            return super().from_args_and_dict(args, {**processor_dict, "video_processor": None}, **options)

    return Pictures
