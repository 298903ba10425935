"""Speech to text by Whisper checkpoints (Radford et al. 2022): windows of 30 s, advanced by the model's time stamps."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Self

from kuamo.contracts import Precision, Segment, TranscribeRequest, Word
from kuamo.engines.checkpoint import HERE_ONLY, load_model, reading, unsupported
from kuamo.engines.placement import Placement, place
from kuamo.engines.seeding import seeded
from kuamo.engines.words import split_words
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio

LEAST_SECONDS = 0.1  # less sound holds no word
LEAST_ADVANCE_SECONDS = 0.4  # so that a window always gets on
BROKEN = "\ufffd"  # a character cut in two
NEEDED = ("no_timestamps_token_id", "is_multilingual")
# A window that loops or that the model finds unlikely is heard again at a higher temperature, as by openai/whisper.
FALLBACK = {
    "temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "compression_ratio_threshold": 1.35,
    "logprob_threshold": -1.0,
    "no_speech_threshold": 0.6,
}
# Language tags (BCP 47) that Whisper calls otherwise.
CODES = {"cmn": "zh", "nb": "no", "fil": "tl", "jv": "jw", "iw": "he"}


class Whisper:
    """A Whisper checkpoint, multilingual or English only."""

    def __init__(self, model: Any, processor: Any, placement: Placement) -> None:
        self.device, self.precision = placement.device, placement.precision
        self._model, self._tokenizer, self._extractor = model, processor.tokenizer, processor.feature_extractor
        self._settings = model.generation_config
        self.translates = self._settings.is_multilingual

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load a checkpoint folder. Raises KuamoError model_unsupported where its generation settings are too old."""
        from transformers import WhisperForConditionalGeneration, WhisperProcessor

        placement = place(source, device, precision)
        model = load_model(WhisperForConditionalGeneration, source, "transcribe", placement, keep=("proj_out",))
        with reading(source, "transcribe"):
            processor = WhisperProcessor.from_pretrained(source, **HERE_ONLY)
        needed = (*NEEDED, "lang_to_id") if getattr(model.generation_config, "is_multilingual", False) else NEEDED
        if missing := [name for name in needed if not hasattr(model.generation_config, name)]:
            raise unsupported(source, "transcribe", f"its generation_config.json lacks {', '.join(missing)}")
        return cls(model, processor, placement)

    def transcribe(self, request: TranscribeRequest) -> Iterator[Segment]:
        """Yield segments with times, and their words' where the checkpoint names its alignment heads.

        Without a language, the first window decides it. Raises KuamoError language_not_heard.
        """
        language = self._code(request.language)
        audio = request.audio.at(self._extractor.sampling_rate)
        start = 0.0
        while audio.seconds - start >= LEAST_SECONDS:
            window = audio.between(start, start + self._extractor.chunk_length)
            inputs = self._hear(window)
            language = language or self._detect(inputs)
            heard = self._generate(inputs, language, "translate" if request.translate else "transcribe")
            for part in heard:
                if segment := self._segment(part, language, start, window.seconds):
                    yield segment
            start += self._advance(heard, window)

    def identify(self, request: TranscribeRequest) -> str:
        """Return the language of the first window, as Whisper names it (mostly ISO 639-1)."""
        if not self._settings.is_multilingual:
            return "en"
        audio = request.audio.at(self._extractor.sampling_rate)
        return self._detect(self._hear(audio.between(0, self._extractor.chunk_length)))

    def _code(self, language: str | None) -> str | None:
        """Return Whisper's code for a language tag; None where it is to be detected."""
        primary = (language or "").split("-")[0].lower()
        code = CODES.get(primary, primary)
        if not self._settings.is_multilingual:
            code, known = code or "en", code in ("", "en")
        else:
            known = not code or f"<|{code}|>" in self._settings.lang_to_id
        if not known:
            raise KuamoError("language_not_heard", language=language)
        return code or None

    def _hear(self, window: Audio) -> Any:
        """Return the model's own log-mel features of a window, padded with silence, and the mask of its frames."""
        inputs = self._extractor(
            window.samples, sampling_rate=window.sample_rate_hz, return_tensors="pt", return_attention_mask=True
        )
        return inputs.to(self._model.device, self._model.dtype)

    def _detect(self, inputs: Any) -> str:
        token = int(self._model.detect_language(inputs.input_features)[0])
        names = {index: name for name, index in self._settings.lang_to_id.items()}
        return str(names[token]).strip("<|>")

    def _generate(self, inputs: Any, language: str, work: str) -> list[dict[str, Any]]:
        """Return the segments of one window as Transformers gives them: start, end, tokens, token_timestamps."""
        import torch

        task = {"language": language, "task": work} if self._settings.is_multilingual else {}
        with torch.inference_mode(), seeded():
            heard = self._model.generate(
                **inputs,
                **task,
                **FALLBACK,
                return_timestamps=True,
                return_token_timestamps=bool(getattr(self._settings, "alignment_heads", None)),
                return_segments=True,
                force_unique_generate_call=True,
            )
        return list(heard["segments"][0])

    def _advance(self, heard: list[dict[str, Any]], window: Audio) -> float:
        """Return the seconds to the next window: two time stamps at the end mean that the last segment was cut."""
        if heard and all(token > self._settings.no_timestamps_token_id for token in heard[-1]["tokens"][-2:].tolist()):
            return max(float(heard[-1]["end"]), LEAST_ADVANCE_SECONDS)
        return window.seconds

    def _segment(self, part: dict[str, Any], language: str, offset: float, seconds: float) -> Segment | None:
        """Return a window's segment in the time of the recording, its words within it; None for one without text."""
        text = self._tokenizer.decode(part["tokens"], skip_special_tokens=True).replace(BROKEN, "").strip()
        start, end = float(part["start"]), min(float(part["end"]), seconds)
        if not text or start >= end:
            return None
        words = tuple(
            Word(round(offset + min(max(first, start), end), 3), round(offset + min(max(last, start), end), 3), word)
            for word, first, last in self._words(part, language)
        )
        return Segment(round(offset + start, 3), round(offset + end, 3), text, words, language)

    def _words(self, part: dict[str, Any], language: str) -> Iterator[tuple[str, float, float]]:
        """Yield words with start and end in the window, by the tokens' times (time warping of cross-attention).

        Words in one token (Han characters) share its time evenly.
        """
        from transformers.models.whisper.tokenization_whisper import LANGUAGES, _combine_tokens_into_words

        if "token_timestamps" not in part:
            return
        tokens, ends = part["tokens"].tolist(), part["token_timestamps"].tolist()
        starts = [float(part["start"]), *ends]
        text = [place for place, token in enumerate(tokens) if token < self._tokenizer.eos_token_id]
        groups = _combine_tokens_into_words(self._tokenizer, [tokens[place] for place in text], LANGUAGES.get(language))
        for word, _, places in zip(*groups, strict=True):
            pieces = split_words(word)
            start, end = starts[text[places[0]]], ends[text[places[-1]]]
            shares = [0, *accumulate(map(len, pieces))]
            for piece, before, after in zip(pieces, shares, shares[1:], strict=False):
                length = (end - start) / shares[-1]
                yield piece, start + before * length, start + after * length
