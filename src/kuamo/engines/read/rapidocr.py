"""Text in pictures by RapidOCR: PP-OCR detection and recognition, Chinese and English, models inside its package."""

from typing import Any, Self

from kuamo.contracts import Line, Precision, ReadRequest


class RapidOcr:
    """PP-OCR on ONNX Runtime."""

    device = "cpu"
    precision = "fp32"

    def __init__(self, ocr: Any) -> None:
        self._ocr = ocr

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision, **options: Any) -> Self:
        """Load the models inside the package; `options` are RapidOCR's own parameters."""
        from rapidocr import RapidOCR

        return cls(RapidOCR(params={"Global.log_level": "critical", **options}))

    def read(self, request: ReadRequest) -> tuple[Line, ...]:
        """Return the lines of text, from top to bottom."""
        result = self._ocr(request.image.pixels[:, :, ::-1])
        if result.txts is None:
            return ()
        found = zip(result.txts, result.boxes.tolist(), result.scores, strict=True)
        return tuple(Line(text, tuple(map(tuple, corners)), float(score)) for text, corners, score in found)
