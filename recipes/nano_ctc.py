"""nano-ctc: when each word of a known text is spoken, in Chinese and English.

    python recipes/recordings.py           speak the sentences of training, once (resumes)
    python recipes/nano_ctc.py             train (resumes), then write src/kuamo/weights/nano-ctc with its card

A wav2vec 2.0 (Baevski et al. 2020) with a CTC head over letters and Chinese characters. It is not trained by the CTC
loss, which puts each letter on one frame, anywhere within its sound (Zeyer et al. 2021): the small world knows the
words' times, so that every frame has its label, and what is learned is the whole length of each word.
"""

import argparse
import json
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import torch
from recordings import (
    BLANK,
    FRAME_SECONDS,
    GAP,
    TRAIN,
    UNKNOWN,
    Recordings,
    Row,
    characters,
    edge_errors,
    labels_of_frames,
)  # fmt: skip
from torch import Tensor
from torch.nn.functional import cross_entropy
from training import BEGIN, END, RUNS, Task, finish, train
from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

from kuamo.engines.align.ctc import Ctc
from kuamo.world.recording import RATE_HZ
from kuamo.world.speech import Utterance, in_places, speech

FOLDER = Path("src/kuamo/weights/nano-ctc")
SPECIAL = [BLANK, "<s>", "</s>", UNKNOWN, GAP]
# Samples of a step of each convolution and its width: 20 ms in all.
STRIDES, KERNELS, WIDTHS = (20, 4, 2, 2), (40, 8, 3, 2), (64, 128, 192, 192)
LONGEST_SECONDS = 10
GROUP = 8  # batches whose utterances are sorted by length together
UNLEARNED = -100
SMOOTHING = 0.05


def build(letters: list[str], width: int, layers: int) -> Wav2Vec2ForCTC:
    """Return the model with its seeded first weights."""
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        vocab_size=len(letters), hidden_size=width, num_hidden_layers=layers, num_attention_heads=width // 64,
        intermediate_size=4 * width, conv_dim=WIDTHS, conv_stride=STRIDES, conv_kernel=KERNELS,
        num_feat_extract_layers=len(STRIDES), feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True,
        num_conv_pos_embeddings=31, num_conv_pos_embedding_groups=8, pad_token_id=letters.index(BLANK), bos_token_id=1,
        eos_token_id=2, layerdrop=0.0, hidden_dropout=0.0, attention_dropout=0.0, activation_dropout=0.0,
        feat_proj_dropout=0.0, final_dropout=0.0, mask_time_prob=0.0, mask_feature_prob=0.0,
    )  # fmt: skip
    # Written-out attention: on a CPU in bfloat16 it trains faster than the fused one.
    return Wav2Vec2ForCTC._from_config(config, attn_implementation="eager")


class Frames(Task):
    """The loss of a step: a batch of utterances of similar length, recorded in places of all kinds."""

    def __init__(
        self, recordings: Recordings, width: int = 192, layers: int = 4, batch: int = 24, sentences: int = 40_000,
        heard: int = 60,
    ) -> None:  # fmt: skip
        super().__init__()
        self.recordings, self.batch, self.heard = recordings, batch, heard
        self.rows = [row for row in recordings.rows if row.seconds <= LONGEST_SECONDS]
        self.letters = [*SPECIAL, *characters(sentences)]
        self.ids = {letter: place for place, letter in enumerate(self.letters)}
        self.model = build(self.letters, width, layers)
        self.extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True, do_normalize=True)

    def forward(self, step: int) -> Tensor:
        """Return the cross-entropy of the frames' labels."""
        random = Random(f"ctc/{step}")
        spoken = [in_places(self.recordings.utterance(row), random) for row in self.batch_of(step)]
        inputs = self.extractor(
            [one.audio.samples for one in spoken], sampling_rate=RATE_HZ, padding=True, pad_to_multiple_of=RATE_HZ // 4,
            return_tensors="pt",
        ).to(self.model.device)  # fmt: skip
        with torch.autocast(self.model.device.type, torch.bfloat16):
            logits = self.model(**inputs).logits
        truth = self.truth(spoken, logits.shape[1]).to(logits.device)
        return cross_entropy(logits.float().flatten(0, 1), truth.flatten(), label_smoothing=SMOOTHING)

    def truth(self, spoken: list[Utterance], frames: int) -> Tensor:
        """Return the labels of an utterance's frames, (utterances, frames), UNLEARNED behind its end."""
        labels = torch.full((len(spoken), frames), UNLEARNED)
        for row, one in zip(labels, spoken, strict=True):
            count = min(frames, int(one.audio.seconds / FRAME_SECONDS))
            row[:count] = torch.from_numpy(labels_of_frames(one.words, self.ids, count))
        return labels

    def batch_of(self, step: int) -> list[Row]:
        """Return a step's utterances: those of eight steps are sorted by length, so that little is padding."""
        group, place = divmod(step, GROUP)
        random = Random(f"ctc/group/{group}")
        rows = sorted(random.sample(self.rows, GROUP * self.batch), key=lambda row: row.count)
        start = random.sample(range(GROUP), GROUP)[place] * self.batch
        return rows[start : start + self.batch]

    def scores(self) -> dict[str, float]:
        """Return, by language, the median and the 95th percentile of how many seconds words' bounds are off.

        Of sentences and voices not heard yet, through Kuamo's own engine.
        """
        with tempfile.TemporaryDirectory() as folder:
            self.save(Path(folder))
            engine = Ctc.load(folder, device=str(self.model.device), precision="fp32")
        utterances = [spoken for spoken, _ in zip(speech("held_out"), range(self.heard), strict=False)]
        scores = {}
        for language in ("en", "zh"):
            off = edge_errors(engine.align, [spoken for spoken in utterances if spoken.language == language])
            scores[f"median s, {language}"] = float(np.median(off))
            scores[f"95th percentile s, {language}"] = float(np.quantile(off, 0.95))
        return scores

    def save(self, folder: Path) -> None:
        """Write the model with its tokenizer and its extractor into a folder, as on the hub."""
        vocabulary = folder / "vocab.json"
        self.model.save_pretrained(folder)
        vocabulary.write_text(json.dumps(self.ids, ensure_ascii=False), encoding="utf-8")
        Wav2Vec2CTCTokenizer(str(vocabulary)).save_pretrained(folder)
        self.extractor.save_pretrained(folder)


def write(task: Frames, folder: Path, run: Path) -> None:
    """Write the model in half precision, with its card."""
    task.model.half()
    task.save(folder)
    finish(folder, run, card(task.model.num_parameters()))


def card(parameters: int) -> str:
    """Return the model card, its scores still to be filled in."""
    return f"""---
license: apache-2.0
language: [en, zh]
pipeline_tag: automatic-speech-recognition
library_name: transformers
---
# nano-ctc

A wav2vec 2.0 of {parameters:,} parameters that says when each word of a known text is spoken, in English and Chinese
(there for each character), in steps of 20 ms. It is trained from scratch on synthetic speech (eSpeak NG) alone.

## Scores

How far the words' starts and ends are from eSpeak NG's own, for sentences and voices that training never heard, in
noise, rooms and over the telephone; the same of PocketSphinx, on the same English sound.

{BEGIN}
{END}

## Training

`recipes/nano_ctc.py`: {TRAIN:,} utterances by about 90 voices in six accents of English and in Mandarin, each time in
another place: a room, noise, a telephone, a level. Every frame has its label, from eSpeak NG's word times.

![Loss and scores over the steps](curves.png)

## Use

```bash
kuamo align RECORDING --text "What colour is the cat?" --model nano-ctc
```
"""


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    task, run = Frames(Recordings("train", TRAIN)), RUNS / "nano-ctc"
    train(run, task, steps=options.steps, rate=2e-3, every=100, scored=500)
    write(task, FOLDER, run)


if __name__ == "__main__":
    main()
