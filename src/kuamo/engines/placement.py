"""Where a PyTorch checkpoint goes and in which precision: chosen by the machine unless told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuamo.contracts import Precision

LARGE_BYTES = 2_000_000_000  # weights from here on stay in half precision on a CPU too


@dataclass(frozen=True)
class Placement:
    """A torch device and a precision, both decided."""

    device: str
    precision: str

    @property
    def dtype(self) -> Any:
        """The torch type of activations and of weights that are not quantised."""
        import torch

        half = torch.float32 if self.device == "cpu" else torch.float16
        types = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
        return types.get(self.precision, torch.bfloat16 if _has_bf16(self.device) else half)

    def arguments(self, keep: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return what `from_pretrained` wants: safetensors from the disk only; `keep`: modules not quantised."""
        arguments: dict[str, Any] = {
            "dtype": self.dtype,
            "device_map": {"": self.device},
            "use_safetensors": True,
            "local_files_only": True,
        }
        if self.precision in ("int8", "nf4"):
            arguments["quantization_config"] = self._quantization(keep)
        return arguments

    def _quantization(self, keep: tuple[str, ...]) -> Any:
        from transformers import BitsAndBytesConfig

        skip = [*keep, "lm_head"]
        if self.precision == "int8":
            return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skip)
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=self.dtype,
            llm_int8_skip_modules=skip,
        )


def place(source: str, device: str, precision: Precision) -> Placement:
    """Decide device ("auto": CUDA, then MPS, then CPU) and precision ("auto": what the device runs best)."""
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    return Placement(device, _automatic(source, device) if precision == "auto" else precision)


def _automatic(source: str, device: str) -> str:
    if device.startswith("cuda"):
        return "bf16" if _has_bf16(device) else "fp16"
    if device == "mps":
        return "fp16"
    size = sum(file.stat().st_size for file in Path(source).rglob("*.safetensors"))
    return "bf16" if size > LARGE_BYTES else "fp32"


def _has_bf16(device: str) -> bool:
    import torch

    return not device.startswith("cuda") or torch.cuda.is_bf16_supported()
