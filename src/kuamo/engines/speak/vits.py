"""Speech by VITS and MMS-TTS checkpoints (Kim et al. 2021)."""

from collections.abc import Iterator
from typing import Any, Self

from kuamo.contracts import Precision, SpeakRequest, SpeechChunk
from kuamo.engines.checkpoint import HERE_ONLY, load_model, reading, unsupported
from kuamo.engines.placement import place
from kuamo.engines.seeding import seeded
from kuamo.engines.words import split_sentences
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio

LONGEST = 500  # characters spoken in one piece


class Vits:
    """A VITS checkpoint; small enough to stay in fp32 whatever precision is asked."""

    precision = "fp32"

    def __init__(self, model: Any, tokenizer: Any, device: str) -> None:
        self.device = device
        self._model, self._tokenizer = model, tokenizer
        self._speakers: int = model.config.num_speakers

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load a checkpoint folder. Raises KuamoError model_unsupported where its text needs a package not here."""
        from transformers import VitsModel, VitsTokenizer
        from transformers.utils import is_phonemizer_available, is_uroman_available

        placement = place(source, device, "fp32")
        with reading(source, "speak"):
            tokenizer = VitsTokenizer.from_pretrained(source, **HERE_ONLY)
        for needed, package, here in (
            (tokenizer.is_uroman, "uroman", is_uroman_available()),
            (tokenizer.phonemize, "phonemizer", is_phonemizer_available()),
        ):
            if needed and not here:
                raise unsupported(source, "speak", f"its text is prepared by the package {package}, which is not here")
        return cls(load_model(VitsModel, source, "speak", placement), tokenizer, placement.device)

    def speak(self, request: SpeakRequest) -> Iterator[SpeechChunk]:
        """Speak sentence by sentence; the same text always sounds the same. `voice` is a speaker's number, from 0.

        Raises KuamoError unknown_voice, or text_empty where the model has no sound for any character.
        """
        speaker = self._speaker(request.voice)
        silent = True
        for sentence in split_sentences(request.text, request.language or "en", LONGEST):
            if self._tokenizer.prepare_for_tokenization(sentence)[0]:
                silent = False
                yield SpeechChunk(self._say(sentence, speaker, request.speed))
        if silent:
            raise KuamoError("text_empty")

    def _speaker(self, voice: str | None) -> int:
        if voice is None:
            return 0
        if not (voice.isdecimal() and int(voice) < self._speakers):
            raise KuamoError("unknown_voice", name=voice)
        return int(voice)

    def _say(self, sentence: str, speaker: int, speed: float) -> Audio:
        import torch

        inputs = self._tokenizer(sentence, return_tensors="pt").to(self._model.device)
        rate = speed * self._model.config.speaking_rate
        with torch.inference_mode(), seeded():
            wave = self._model(**inputs, speaker_id=speaker, speaking_rate=rate).waveform
        return Audio(wave[0].cpu().numpy(), self._model.config.sampling_rate)
