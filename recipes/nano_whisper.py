"""nano-whisper: hears the small world's sentences, and the assistant's, in Chinese and English.

    python recipes/recordings.py           speak the sentences of training, once (resumes)
    python recipes/nano_whisper.py         train (resumes), then write src/kuamo/weights/nano-whisper with its card

Whisper (Radford et al. 2022) in windows of 6 s. Beside its own loss two others, for which the small world knows the
truth: each frame's letter, by a linear layer that is thrown away; and where what the decoder writes is spoken, for one
head of the cross-attention of each later layer (guided attention, after Tachibana et al. 2018), which then times words.
"""

import argparse
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from recordings import (
    BLANK,
    FRAME_SECONDS,
    GAP,
    TRAIN,
    UNKNOWN,
    Recordings,
    Row,
    characters,
    errors,
    frame_of,
    labels_of_frames,
)  # fmt: skip
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from training import BEGIN, END, RUNS, Task, finish, train
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

from kuamo.contracts import Word
from kuamo.media.text import is_chinese
from kuamo.messages import Language
from kuamo.world.phrases import LANGUAGES
from kuamo.world.recording import RATE_HZ, recorded
from kuamo.world.sentences import sentence
from kuamo.world.speech import shifted, speech

FOLDER = Path("src/kuamo/weights/nano-whisper")
SECONDS, LONGEST = 6, 96  # of a window, in seconds and in tokens
FRAMES = round(SECONDS / FRAME_SECONDS)
START, NO_SPEECH, TRANSCRIBE, TRANSLATE = "<|startoftranscript|>", "<|nospeech|>", "<|transcribe|>", "<|translate|>"
OF_LANGUAGE: dict[Language, str] = {"en": "<|en|>", "zh": "<|zh|>"}
SPECIAL = [
    START, *OF_LANGUAGE.values(), TRANSLATE, TRANSCRIBE, "<|startoflm|>", "<|startofprev|>", NO_SPEECH,
    "<|notimestamps|>",
]  # fmt: skip
# Shares of the windows: without speech, with one sentence alone, and of the rest those that begin within a sentence.
SILENT, SINGLE, BEGUN = 0.03, 0.25, 0.15
BEFORE_SECONDS, MOST_BEFORE_SECONDS = 0.5, SECONDS - 1.5  # the mean, and the most, of the silence at the beginning
BETWEEN_SECONDS = (0.15, 1.0)
LETTERS_SHARE, ATTENTION_SHARE = 0.3, 0.3
MASKED_MELS = 12
UNLEARNED = -100


def train_tokenizer(vocabulary: int = 2_560, sentences: int = 40_000) -> WhisperTokenizer:
    """Return a byte-level BPE with Whisper's special tokens; no token holds two Chinese characters."""
    tokenizer, random = Tokenizer(models.BPE()), Random("tokenizer")
    han = pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([han, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    languages = (LANGUAGES[number % 2] for number in range(sentences))
    texts = (" " * (language == "en") + sentence(language, "train", random) for language in languages)
    tokenizer.train_from_iterator(texts, trainer)
    learned = json.loads(tokenizer.to_str())["model"]
    whispers = WhisperTokenizer(vocab=learned["vocab"], merges=[tuple(pair) for pair in learned["merges"]])
    whispers.add_special_tokens({"additional_special_tokens": SPECIAL})
    whispers.add_tokens([f"<|{place * FRAME_SECONDS:.2f}|>" for place in range(FRAMES + 1)])
    return whispers


def build(tokenizer: WhisperTokenizer, width: int, layers: tuple[int, int]) -> WhisperForConditionalGeneration:
    """Return the model with its seeded first weights; `layers` of encoder and decoder."""
    torch.manual_seed(0)
    ids = dict(zip(SPECIAL, tokenizer.convert_tokens_to_ids(SPECIAL), strict=True))
    ends = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"), tokenizer.eos_token_id)
    config = WhisperConfig(
        vocab_size=len(tokenizer), d_model=width, encoder_layers=layers[0], decoder_layers=layers[1],
        encoder_attention_heads=width // 64, decoder_attention_heads=width // 64, encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width, num_mel_bins=80, max_source_positions=FRAMES, max_target_positions=LONGEST,
        dropout=0.0, decoder_start_token_id=ids[START], suppress_tokens=[], begin_suppress_tokens=None, **ends,
    )  # fmt: skip
    # Written-out attention: it gives its weights, and trains faster on a CPU in bfloat16.
    model = WhisperForConditionalGeneration._from_config(config, attn_implementation="eager")
    model.generation_config = GenerationConfig(
        is_multilingual=True, lang_to_id={token: ids[token] for token in OF_LANGUAGE.values()},
        task_to_id={"translate": ids[TRANSLATE], "transcribe": ids[TRANSCRIBE]}, return_timestamps=False,
        no_timestamps_token_id=ids["<|notimestamps|>"], prev_sot_token_id=ids["<|startofprev|>"],
        alignment_heads=[[layer, 0] for layer in range(1, layers[1])], max_initial_timestamp_index=FRAMES - 50,
        max_length=LONGEST, decoder_start_token_id=ids[START], **ends,
    )  # fmt: skip
    model.generation_config._from_model_config = False  # or the lists would be dropped on load
    return model


@dataclass
class Window:
    """What is heard, (samples,); its words; what is written: token ids from START on, and when each is spoken (frames).

    `learned` says of each token whether it is learned.
    """

    samples: NDArray[np.float32]
    words: list[Word] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)

    def write(self, token: int, start: int = 0, end: int = 0) -> None:
        """Add a token, spoken from frame `start` to `end`; nowhere where these are equal."""
        self.ids.append(token)
        self.spans.append((start, end))


class Hearing(Task):
    """The loss of a step: a batch of windows of 6 s with sentences, recorded in places of all kinds."""

    def __init__(
        self, recordings: Recordings, width: int = 192, layers: tuple[int, int] = (4, 2), batch: int = 16,
        vocabulary: int = 2_560, sentences: int = 40_000, heard: int = 48,
    ) -> None:  # fmt: skip
        super().__init__()
        self.recordings, self.batch, self.heard = recordings, batch, heard
        self.tokenizer = train_tokenizer(vocabulary, sentences)
        self.extractor = WhisperFeatureExtractor(chunk_length=SECONDS, return_attention_mask=False)
        self.model = build(self.tokenizer, width, layers)
        letters = [BLANK, UNKNOWN, GAP, *characters(sentences)]
        self.letters_of = {letter: place for place, letter in enumerate(letters)}
        self.letters = nn.Linear(width, len(letters))
        self.code = cache(self._code)

    def forward(self, step: int) -> Tensor:
        """Return the cross-entropy of what is written, with shares of that of the letters and of the attention."""
        random = Random(f"whisper/{step}")
        windows = [self.window(random) for _ in range(self.batch)]
        device = self.model.device
        mels = masked(self.mels(windows), random).to(device)
        ids, spans = padded(windows, self.tokenizer.eos_token_id)
        following = ids[:, 1:].to(device)
        with torch.autocast(device.type, torch.bfloat16):
            frames = self.model.model.encoder(mels).last_hidden_state
            out = self.model.model.decoder(
                ids[:, :-1].clamp(min=0).to(device),
                encoder_hidden_states=frames,
                output_attentions=True,
                use_cache=False,
            )
            learned = following >= 0
            logits = self.model.proj_out(out.last_hidden_state[learned])
            letters = self.letters(frames[:, ::2])  # every second is enough
        written = cross_entropy(logits.float(), following[learned])
        truth = np.stack([labels_of_frames(window.words, self.letters_of, FRAMES) for window in windows])
        spoken = cross_entropy(letters.float().flatten(0, 1), torch.from_numpy(truth[:, ::2]).flatten().to(device))
        heads = [out.cross_attentions[layer][:, head] for layer, head in self.model.generation_config.alignment_heads]
        attended = attention_loss(torch.stack(heads), spans[:, 1:].to(device))
        return written + LETTERS_SHARE * spoken + ATTENTION_SHARE * attended

    def window(self, random: Random) -> Window:
        """Return a window as it is recorded somewhere; one that holds more than the model can write is drawn again."""
        while True:
            silent = random.random() < SILENT
            window = self._silent(random) if silent else self._spoken(random)
            if len(window.ids) <= LONGEST:
                window.samples = recorded(window.samples, random)
                return window

    def mels(self, windows: list[Window]) -> Tensor:
        """Return the log-mel features, (windows, 80, 100 a second)."""
        samples = [window.samples for window in windows]
        return self.extractor(samples, sampling_rate=RATE_HZ, return_tensors="pt").input_features

    def _silent(self, random: Random) -> Window:
        window = Window(np.zeros(SECONDS * RATE_HZ, np.float32))
        for token in (START, NO_SPEECH, TRANSCRIBE, "<|0.00|>"):
            window.write(self.tokenizer.convert_tokens_to_ids(token))
        window.write(self.tokenizer.eos_token_id)
        return window

    def _spoken(self, random: Random) -> Window:
        window, language = Window(np.zeros(SECONDS * RATE_HZ, np.float32)), random.choice(LANGUAGES)
        for token in (START, OF_LANGUAGE[language], TRANSCRIBE):
            window.write(self.tokenizer.convert_tokens_to_ids(token))
        at = min(random.expovariate(1 / BEFORE_SECONDS), MOST_BEFORE_SECONDS)
        single = random.random() < SINGLE
        begun = not single and random.random() < BEGUN
        while at < SECONDS - 0.3:
            row = random.choice(self.recordings.by_language[language])
            first = random.randrange(len(row.words) // 2 + 1) if begun else 0
            end = self._add(window, row, first, 0.0 if begun else at)
            if single or end > SECONDS:
                break
            at, begun = end + random.uniform(*BETWEEN_SECONDS), False
        window.write(self.tokenizer.eos_token_id)
        return window

    def _add(self, window: Window, row: Row, first: int, at: float) -> float:
        """Add an utterance from its word `first` on; return when it ends.

        Where the window ends within it, the words that are whole are written, and the end of the last one twice: there
        the next window is to begin.
        """
        begin = row.times[first][0]
        words = shifted(tuple(Word(*time, text) for time, text in zip(row.times, row.words, strict=True)), at - begin)
        words = words[first:]
        sound = self.recordings.audio(row)[round(begin * RATE_HZ) :]
        start = round(at * RATE_HZ)
        part = window.samples[start : start + len(sound)]
        part += sound[: len(part)]
        window.words += [word for word in words if word.start_seconds < SECONDS]
        whole = [word for word in words if word.end_seconds <= SECONDS]
        self._stamp(window, words[0].start_seconds)
        for word in whole:
            span = frame_of(word.start_seconds), frame_of(word.end_seconds)
            for token in self.code(word.text):
                window.write(token, *span)
        for _ in range((1 if len(whole) == len(words) else 2) if whole else 0):
            self._stamp(window, whole[-1].end_seconds)
        return words[-1].end_seconds

    def _stamp(self, window: Window, seconds: float) -> None:
        frame = min(frame_of(seconds), FRAMES)
        token = self.model.generation_config.no_timestamps_token_id + 1 + frame
        window.write(token, max(0, frame - 2), min(FRAMES, frame + 2))

    def _code(self, word: str) -> tuple[int, ...]:
        space = "" if is_chinese(word) else " "
        return tuple(self.tokenizer(space + word, add_special_tokens=False).input_ids)

    def scores(self) -> dict[str, float]:
        """Return the share of words (characters, in Chinese) that are wrong, of sentences and voices not heard yet."""
        wrong = dict.fromkeys(LANGUAGES, (0, 0))
        utterances = [spoken for spoken, _ in zip(speech("held_out"), range(self.heard), strict=False)]
        for language in LANGUAGES:
            said = [spoken for spoken in utterances if spoken.language == language and spoken.audio.seconds <= SECONDS]
            mels = self.mels([Window(spoken.audio.samples) for spoken in said]).to(self.model.device)
            with torch.inference_mode():
                ids = self.model.generate(mels, language=language, task="transcribe", return_timestamps=True)
            texts = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
            pairs = [errors(text, spoken.text) for text, spoken in zip(texts, said, strict=True)]
            wrong[language] = tuple(map(sum, zip(*pairs, strict=True)))
        return {f"error, {language}": edits / max(1, count) for language, (edits, count) in wrong.items()}


def padded(windows: list[Window], end: int) -> tuple[Tensor, Tensor]:
    """Return the token ids (windows, tokens), UNLEARNED behind the last, and their spans (windows, tokens, 2)."""
    length = -(-max(len(window.ids) for window in windows) // 16) * 16 + 1
    ids = torch.full((len(windows), length), UNLEARNED)
    spans = torch.zeros(len(windows), length, 2, dtype=torch.long)
    for place, window in enumerate(windows):
        ids[place, : len(window.ids)] = torch.tensor(window.ids)
        spans[place, : len(window.ids)] = torch.tensor(window.spans)
    return ids, spans


def attention_loss(weights: Tensor, spans: Tensor) -> Tensor:
    """Return minus the log of how much of the attention (heads, batch, tokens, frames) lies in the tokens' spans."""
    places = torch.arange(weights.shape[-1], device=weights.device)
    within = (places >= spans[..., :1]) & (places < spans[..., 1:])
    inside = (weights.float() * within).sum(-1)[:, within.any(-1)]
    return -torch.log(inside + 1e-3).mean()


def masked(mels: Tensor, random: Random) -> Tensor:
    """Return the features with a band of each window silenced (Park et al. 2019)."""
    for window in mels:
        first = random.randrange(80 - MASKED_MELS)
        window[first : first + random.randrange(MASKED_MELS + 1)] = window.min()
    return mels


def write(task: Hearing, folder: Path, run: Path) -> None:
    """Write the model in half precision with its tokenizer, as on the hub; a window holds 6 s."""
    task.model.half().save_pretrained(folder)
    task.tokenizer.save_pretrained(folder)
    task.extractor.save_pretrained(folder)
    finish(folder, run, card(task.model.num_parameters()))


def card(parameters: int) -> str:
    """Return the model card, its scores still to be filled in."""
    return f"""---
license: apache-2.0
language: [en, zh]
pipeline_tag: automatic-speech-recognition
library_name: transformers
---
# nano-whisper

A Whisper of {parameters:,} parameters that writes down what is said in English and Chinese, with times, in windows of
6 seconds. It is trained from scratch on synthetic speech (eSpeak NG) alone: sentences about the pictures of the small
world (`kuamo.world`) and the small talk of nano-chat. It does not know people's voices: use a bigger model for these.

## Scores

Sentences and voices that training never heard, in noise, rooms and over the telephone: the share of words (in Chinese:
characters) that are wrong.

{BEGIN}
{END}

## Training

`recipes/nano_whisper.py`: {TRAIN:,} utterances by about 90 voices in six accents of English and in Mandarin, each time
in another place: a room, noise, a telephone, a level.

![Loss and scores over the steps](curves.png)

## Use

```bash
kuamo transcribe RECORDING --model nano-whisper
```
"""


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    task, run = Hearing(Recordings("train", TRAIN)), RUNS / "nano-whisper"
    train(run, task, steps=options.steps, rate=2e-3, every=100, scored=500)
    write(task, FOLDER, run)


if __name__ == "__main__":
    main()
