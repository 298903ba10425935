"""Speech by SpeechT5 checkpoints and their HiFi-GAN vocoder (Ao et al. 2022; Kong et al. 2020)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from kuamo.contracts import Precision, SpeakRequest, SpeechChunk
from kuamo.engines.checkpoint import HERE_ONLY, load_model, reading
from kuamo.engines.placement import place
from kuamo.engines.seeding import seeded
from kuamo.engines.words import split_sentences
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio

LONGEST = 300  # characters spoken in one piece: its positions end at 600 tokens
SPEAKER = "speaker.safetensors"
VOCODER = "microsoft/speecht5_hifigan"


class SpeechT5:
    """A SpeechT5 text-to-speech checkpoint; small enough to stay in fp32 whatever precision is asked.

    `speaker` says whose voice it has: the file of its x-vector, or "neutral".
    """

    precision = "fp32"

    def __init__(self, model: Any, tokenizer: Any, vocoder: Any, x_vector: Any, speaker: str, device: str) -> None:
        self.device, self.speaker = device, speaker
        self._model, self._tokenizer, self._vocoder, self._x_vector = model, tokenizer, vocoder, x_vector

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision, vocoder: str = VOCODER, speaker: str = "") -> Self:
        """Load a checkpoint folder.

        Args:
            vocoder: a folder or a hub id on this machine, for a checkpoint without a sub-folder `vocoder`.
            speaker: a safetensors file of one x-vector; where empty, the checkpoint's speaker.safetensors or, where
                there is none, the neutral voice of a zero vector.

        Raises KuamoError model_not_downloaded for a vocoder that is not here.
        """
        from transformers import SpeechT5ForTextToSpeech, SpeechT5HifiGan, SpeechT5Tokenizer

        placement = place(source, device, "fp32")
        model = load_model(SpeechT5ForTextToSpeech, source, "speak", placement)
        own = Path(source) / "vocoder"
        gan = load_model(SpeechT5HifiGan, str(own) if own.is_dir() else _downloaded(vocoder), "speak", placement)
        found = Path(speaker) if speaker else Path(source) / SPEAKER
        file = found if speaker or found.is_file() else None
        with reading(source, "speak"):
            tokenizer = SpeechT5Tokenizer.from_pretrained(source, normalize=True, **HERE_ONLY)
            x_vector = _x_vector(file, model)
        return cls(model, tokenizer, gan, x_vector, file.name if file else "neutral", placement.device)

    def speak(self, request: SpeakRequest) -> Iterator[SpeechChunk]:
        """Speak sentence by sentence, numbers as English words; the same text always sounds the same.

        Raises KuamoError unknown_voice (there is one voice), or text_empty where no character is known.
        """
        if request.voice not in (None, self.speaker):
            raise KuamoError("unknown_voice", name=request.voice)
        silent = True
        for sentence in split_sentences(request.text, request.language or "en", LONGEST):
            ids = self._tokenizer(sentence, return_tensors="pt").input_ids
            if self._tokenizer.decode(ids[0], skip_special_tokens=True).strip():
                silent = False
                yield SpeechChunk(_at_speed(self._say(ids), request.speed))
        if silent:
            raise KuamoError("text_empty")

    def _say(self, ids: Any) -> Audio:
        import torch

        with torch.inference_mode(), seeded():
            wave = self._model.generate_speech(ids.to(self._model.device), self._x_vector, vocoder=self._vocoder)
        return Audio(wave.cpu().numpy(), self._vocoder.config.sampling_rate)


def _downloaded(name: str) -> str:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if Path(name).is_dir():
        return name
    try:
        return str(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise KuamoError("model_not_downloaded", name=name) from error


def _x_vector(file: Path | None, model: Any) -> Any:
    """Return a speaker's embedding, shape (1, speaker_embedding_dim)."""
    import torch
    from safetensors.torch import load_file

    size = model.config.speaker_embedding_dim
    if file is None:
        return torch.zeros(1, size, device=model.device)
    return next(iter(load_file(file).values())).reshape(1, size).to(model.device, model.dtype)


def _at_speed(audio: Audio, speed: float) -> Audio:
    """Return a sound spoken faster or slower at the same pitch, by FFmpeg's atempo (0.25 to 4 times)."""
    import av
    import numpy as np
    from av.filter import Graph

    if speed == 1 or not len(audio.samples):
        return audio
    graph = Graph()
    source = graph.add_abuffer(sample_rate=audio.sample_rate_hz, format="flt", layout="mono")
    halves = [graph.add("atempo", str(speed**0.5)) for _ in range(2)]  # one alone ends at 0.5
    graph.link_nodes(source, *halves, graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(audio.samples[None], format="flt", layout="mono")
    frame.sample_rate = audio.sample_rate_hz
    graph.push(frame)
    graph.push(None)
    blocks = []
    while True:
        try:
            blocks.append(graph.pull().to_ndarray()[0])
        except (av.BlockingIOError, av.EOFError):
            return Audio(np.concatenate(blocks), audio.sample_rate_hz) if blocks else audio
