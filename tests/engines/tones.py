"""A language of two tones, low and high, and small checkpoints that are taught it: tests of meaning in seconds."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kuamo.media.audio import Audio

RATE = 16_000
HERTZ = {"low": 300, "high": 2500, "A": 400, "B": 1200, "C": 3000, " ": 0}


def sound(*parts: tuple[str, float]) -> Audio:
    """Return tones by name, one after the other, each for so many seconds; " " is silence."""
    waves = [np.sin(2 * np.pi * HERTZ[name] * np.arange(round(seconds * RATE)) / RATE) for name, seconds in parts]
    return Audio((0.3 * np.concatenate(waves)).astype(np.float32), RATE)


def teach_whisper(folder: Path) -> None:
    """Teach a Whisper with windows of 2 s the first tone and when it ends: two time stamps where another follows."""
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    torch.manual_seed(0)
    processor = WhisperProcessor.from_pretrained(folder)
    model = WhisperForConditionalGeneration.from_pretrained(folder)
    tokenizer, start = processor.tokenizer, ["<|startoftranscript|>", "<|en|>", "<|transcribe|>"]
    heard, written = [], []
    for name, other in (("low", "high"), ("high", "low")):
        for following, end in ((other, ["<|1.00|>", "<|1.00|>"]), (" ", ["<|1.00|>"])):
            heard.append(sound((name, 1), (following, 1)).samples)
            letters = tokenizer.tokenize(f" {name}")
            written.append([*start, "<|0.00|>", *letters, *end, tokenizer.eos_token])
    length = max(map(len, written))
    padded = [
        tokenizer.convert_tokens_to_ids(tokens + [tokenizer.eos_token] * (length - len(tokens))) for tokens in written
    ]
    tokens = torch.tensor(padded)
    features = processor.feature_extractor(heard, sampling_rate=RATE, return_tensors="pt").input_features
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    for _ in range(300):
        scores = model(input_features=features, decoder_input_ids=tokens[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if loss < 0.05:
            break
    model.save_pretrained(folder)


def teach_ctc(folder: Path) -> None:
    """Teach a wav2vec2 the letters A, B and C as tones; silence is blank or the gap between words, each as likely."""
    from transformers import AutoTokenizer, Wav2Vec2ForCTC

    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    model = Wav2Vec2ForCTC.from_pretrained(folder, mask_time_prob=0.0)
    ids = AutoTokenizer.from_pretrained(folder).get_vocab()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(150):
        names = [*rng.permutation(["A", "B", "C", " ", " "])]
        parts = [(str(name), float(rng.uniform(0.1, 0.5))) for name in names]
        wave = sound(*parts).samples
        values = torch.from_numpy((wave - wave.mean()) / wave.std())[None]
        scores = model(values).logits[0]
        loss = torch.nn.functional.cross_entropy(scores, _targets(parts, len(scores), ids, model.config.vocab_size))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if loss < 0.35:
            break
    model.save_pretrained(folder)


def _targets(parts: list[tuple[str, float]], frames: int, ids: dict[str, int], size: int) -> torch.Tensor:
    ends = np.cumsum([seconds for _, seconds in parts])
    centres: NDArray[np.float64] = (np.arange(frames) * 320 + 200) / RATE
    targets = torch.zeros(frames, size)
    for frame, part in enumerate(np.minimum(np.searchsorted(ends, centres), len(parts) - 1)):
        name = parts[part][0]
        targets[frame, [0, ids["|"]] if name == " " else [ids[name]]] = 0.5 if name == " " else 1.0
    return targets
