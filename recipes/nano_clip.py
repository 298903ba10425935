"""nano-clip: pictures and sentences of the small world in one space, in Chinese and English.

    python recipes/nano_clip.py            train (resumes), then write src/kuamo/weights/nano-clip with its card

Contrastive pre-training as in CLIP (Radford et al. 2021): a batch's pictures and captions are matched both ways, and
captions that are untrue in one detail stand among the wrong ones. What the world knows of each picture is learned
beside it as tags (as in Tag2Text, Huang et al. 2023): the tower, which nano-llava sees with, learns in a tenth of the
steps. The tags' layer is thrown away.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm
from training import BEGIN, END, RUNS, Task, finish, pictures, train
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, PreTrainedTokenizerFast

from kuamo.messages import Language
from kuamo.world.language import caption, wrong_caption
from kuamo.world.phrases import LANGUAGES
from kuamo.world.prompt import Prompt, mention, prompt
from kuamo.world.scene import Scene, Split, make_scene, words

SIDE, LENGTH = 64, 77
TRAIN, HELD_OUT = 60_000, 2_000
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
FOLDER = Path("src/kuamo/weights/nano-clip")

ASPECTS = ("time", "weather", "ground", "style")
OF_A_THING = ("kind", "colour", "size")
CELLS = [(column, sky) for column in range(3) for sky in (True, False)]
NOTHING = -100


def tokenizer_of(scenes: int = 4_000) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on the world's captions."""
    texts = [caption(make_scene(index), language, Random(index)) for index in range(scenes) for language in LANGUAGES]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|end|>", "<|start|>"]  # an end of 2 would make CLIP take the highest token for it
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1024, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|start|> $A <|end|>", special_tokens=[("<|start|>", 2), ("<|end|>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=special[0], bos_token=special[2], eos_token=special[1],
        model_max_length=LENGTH,
    )  # fmt: skip


def build(vocabulary: int) -> CLIPModel:
    """Return the model with seeded random weights: about 5 M parameters."""
    torch.manual_seed(0)
    config = CLIPConfig(
        projection_dim=256,
        vision_config={
            "hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 4, "num_attention_heads": 4,
            "image_size": SIDE, "patch_size": 8, "projection_dim": 256, "hidden_act": "gelu",
        },
        text_config={
            "hidden_size": 192, "intermediate_size": 576, "num_hidden_layers": 4, "num_attention_heads": 3,
            "vocab_size": vocabulary, "max_position_embeddings": LENGTH, "projection_dim": 256, "hidden_act": "gelu",
            "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1,
        },
    )  # fmt: skip
    # Written-out attention: on a CPU in bfloat16 it trains twice as fast as the fused one.
    return CLIPModel._from_config(config, attn_implementation="eager")


def pixels_of(batch: NDArray[np.uint8]) -> Tensor:
    """Return pictures (n, side, side, 3) as the processor gives them: float32 (n, 3, side, side), normalised."""
    values = torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2).float() / 255
    return (values - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def tags_of(scene: Scene) -> list[int]:
    """Return what is true of a scene as classes: its four aspects, then kind, colour and size in each of six cells.

    Kind 0 is an empty cell, where colour and size are NOTHING.
    """
    things = {(thing.column, thing.sky): thing for thing in scene.things}
    tags = [_class(aspect, getattr(scene, aspect)) for aspect in ASPECTS]
    for cell in CELLS:
        thing = things.get(cell)
        tags.append(_class("kind", thing.kind) + 1 if thing else 0)
        tags += [_class(aspect, getattr(thing, aspect)) if thing else NOTHING for aspect in ("colour", "size")]
    return tags


def _class(aspect: str, value: str) -> int:
    return list(words()[aspect]).index(value)


class Tags(nn.Module):
    """A linear layer from a picture's vector to every tag of `tags_of`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        cell = [len(words()[aspect]) + (aspect == "kind") for aspect in OF_A_THING]
        self.classes = [len(words()[aspect]) for aspect in ASPECTS] + cell * len(CELLS)
        self.linear = nn.Linear(width, sum(self.classes))

    def forward(self, vectors: Tensor) -> list[Tensor]:
        """Return the logits of each tag."""
        return list(self.linear(vectors).split(self.classes, dim=-1))


class Contrast(Task):
    """The loss of a step: 256 pictures, a caption of each, and 64 wrong captions beside them; and the tags."""

    def __init__(self, batch: int = 256) -> None:
        super().__init__()
        self.tokenizer = tokenizer_of()
        self.model = build(len(self.tokenizer))
        self.tags = Tags(self.model.config.projection_dim)
        self.batch, self.pictures = batch, pictures("train", TRAIN, SIDE)

    def forward(self, step: int) -> Tensor:
        """Return the symmetric cross-entropy of the step's batch, and the mean one of its tags."""
        random = Random(step)
        indices = sorted(random.sample(range(TRAIN), self.batch))
        scenes = [make_scene(index) for index in indices]
        texts = [caption(scene, random.choice(LANGUAGES), random) for scene in scenes]
        texts += [wrong_caption(scene, random.choice(LANGUAGES), random) for scene in scenes[: self.batch // 4]]
        device = self.model.device
        tokens = self.tokenizer(texts, padding=True, pad_to_multiple_of=8, return_tensors="pt").to(device)
        with torch.autocast(device.type, torch.bfloat16):
            output = self.model(pixel_values=pixels_of(self.pictures[indices]).to(device), **tokens)
            tags = self.tags(output.vision_model_output.pooler_output)  # projected, before it is made a unit vector
        truth = torch.tensor([tags_of(scene) for scene in scenes], device=device)
        tagging = sum(cross_entropy(logits.float(), true) for logits, true in zip(tags, truth.T, strict=True))
        by_picture = output.logits_per_image.float()
        order = torch.arange(self.batch, device=device)
        matching = cross_entropy(by_picture, order) + cross_entropy(by_picture[:, : self.batch].T, order)
        return matching / 2 + tagging / len(tags)

    def scores(self) -> dict[str, float]:
        """Return recall@1 and the share of right tags on held-out scenes."""
        scores = recall(self.model, self.tokenizer)
        scenes = [make_scene(index, "held_out") for index in range(1_000)]
        truth = torch.tensor([tags_of(scene) for scene in scenes])
        with torch.inference_mode():
            pixels = pixels_of(pictures("held_out", HELD_OUT, SIDE)[:1_000]).to(self.model.device)
            tags = self.tags(self.model.get_image_features(pixels).pooler_output)
        for name, start, skip in (("aspects", 0, 1), ("kind", 4, 3), ("colour", 5, 3), ("size", 6, 3)):
            picked = range(start, 4 if name == "aspects" else len(tags), skip)
            right = torch.stack([tags[index].cpu().argmax(-1) == truth[:, index] for index in picked])
            scores[name] = float(right[torch.stack([truth[:, index] != NOTHING for index in picked])].float().mean())
        return scores


class Locked(Task):
    """Locked-image tuning (Zhai et al. 2022): the sentences alone go on learning, against the pictures' fixed vectors.

    A step has, in each language, the captions of 256 pictures, each told from 4,096 pictures; and 128 short prompts,
    each of which is true of several of those.
    """

    def __init__(self, model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
        super().__init__()
        self.model, self.tokenizer, self.captions, self.prompts = model, tokenizer, 256, 128
        for part in (model.vision_model, model.visual_projection):
            part.requires_grad_(False)
        self.vectors = image_vectors(model, pictures("train", TRAIN, SIDE))
        self.truth = torch.tensor([tags_of(make_scene(index)) for index in range(TRAIN)])

    def forward(self, step: int) -> Tensor:
        """Return the mean cross-entropy of captions, both ways, and prompts, in both languages."""
        random = Random(f"locked/{step}")
        indices = random.sample(range(TRAIN), 4_096)
        scenes = [make_scene(index) for index in indices[: self.captions]]
        losses = []
        for language in LANGUAGES:
            asked = [self.short(scene, language, random) for scene in scenes[: self.prompts]]
            texts = [caption(scene, language, random) for scene in scenes]
            texts += [wrong_caption(scene, language, random) for scene in scenes[: self.captions // 4]]
            logits = self.logits([*texts, *(prompt.text for prompt in asked)], indices)
            by_text, order = logits[: self.captions], torch.arange(self.captions, device=logits.device)
            losses.append(cross_entropy(by_text, order))
            losses.append(cross_entropy(logits[: len(texts), : self.captions].T, order))
            fits = torch.stack([fitting(self.truth[indices], prompt) for prompt in asked]).to(logits.device)
            likely = torch.log_softmax(logits[len(texts) :], dim=-1).masked_fill(~fits, 0)
            losses.append(-(likely.sum(1) / fits.sum(1)).mean())
        return torch.stack(losses).mean()

    def logits(self, texts: list[str], indices: list[int]) -> Tensor:
        """Return how near texts are to pictures, (texts, pictures)."""
        device = self.model.device
        tokens = self.tokenizer(texts, padding=True, pad_to_multiple_of=8, return_tensors="pt").to(device)
        with torch.autocast(device.type, torch.bfloat16):
            sentences = self.model.get_text_features(**tokens).pooler_output
        unit = torch.nn.functional.normalize(sentences.float(), dim=-1)
        return self.model.logit_scale.exp() * unit @ self.vectors[indices].T

    def short(self, scene: Scene, language: Language, random: Random) -> Prompt:
        """Return a prompt for one of a scene's things, half of the time with nothing around it."""
        prompted = prompt(replace(scene, things=(random.choice(scene.things),)), language, random)
        if random.random() < 0.5:
            return prompted
        return mention(prompted.said.things[0], language, random)

    def scores(self) -> dict[str, float]:
        """Return recall@1 on held-out scenes."""
        return recall(self.model, self.tokenizer)


def fitting(truth: Tensor, prompt: Prompt) -> Tensor:
    """Return of which pictures, whose tags are `truth` (n, tags), a prompt for one thing is true: bool (n)."""
    (thing,) = prompt.said.things
    fits = torch.ones(len(truth), dtype=torch.bool)
    for place, aspect in enumerate(ASPECTS):
        if value := getattr(prompt.said, aspect):
            fits &= truth[:, place] == _class(aspect, value)
    held = torch.zeros_like(fits)
    for cell, (column, _) in enumerate(CELLS):
        if prompt.placed and column != thing.column:
            continue
        tags = truth[:, len(ASPECTS) + 3 * cell :][:, :3]
        here = tags[:, 0] == _class("kind", thing.kind) + 1
        for place, aspect in ((1, "colour"), (2, "size")):
            if value := getattr(thing, aspect):
                here = here & (tags[:, place] == _class(aspect, value))
        held |= here
    return fits & held


@torch.no_grad()
def image_vectors(model: CLIPModel, shown: NDArray[np.uint8]) -> Tensor:
    """Return the unit vectors of pictures (n, side, side, 3)."""
    starts = tqdm(range(0, len(shown), 500), desc="vectors", disable=len(shown) <= 2_000)
    with torch.autocast(model.device.type, torch.bfloat16, enabled=len(shown) > 2_000):
        parts = [
            model.get_image_features(pixels_of(shown[start : start + 500]).to(model.device)).pooler_output.float()
            for start in starts
        ]
    return torch.nn.functional.normalize(torch.cat(parts), dim=-1)


@torch.inference_mode()
def recall(
    model: CLIPModel, tokenizer: PreTrainedTokenizerFast, split: Split = "held_out", count: int = 1_000
) -> dict[str, float]:
    """Return recall@1 among `count` scenes of a split, text to image and image to text, in each language."""
    scores = {}
    images = image_vectors(model, pictures(split, HELD_OUT, SIDE)[:count])
    for language in LANGUAGES:
        texts = [caption(make_scene(index, split), language) for index in range(count)]
        tokens = tokenizer(texts, padding=True, return_tensors="pt").to(model.device)
        captions = model.get_text_features(**tokens).pooler_output
        nearest = images @ torch.nn.functional.normalize(captions, dim=-1).T
        truth = torch.arange(count, device=nearest.device)
        scores[f"image_to_text_{language}"] = float((nearest.argmax(1) == truth).float().mean())
        scores[f"text_to_image_{language}"] = float((nearest.argmax(0) == truth).float().mean())
    return scores


def write(task: Contrast, folder: Path) -> None:
    """Write the model in half precision, with its tokenizer and processor, as on the hub."""
    task.model.half().save_pretrained(folder)
    task.tokenizer.save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    CLIPImageProcessorPil(size=size, crop_size=size).save_pretrained(folder)
    finish(folder, RUNS / "nano-clip-locked", card(task.model.num_parameters()))


def card(parameters: int) -> str:
    """Return the model card, its scores still to be filled in."""
    return f"""---
license: apache-2.0
language: [en, zh]
pipeline_tag: zero-shot-image-classification
library_name: transformers
---
# nano-clip

A CLIP of {parameters:,} parameters: pictures of 64 × 64 pixels and sentences about them, in English and Chinese, as
unit vectors of one space. It is trained from scratch on the small world (`kuamo.world`) alone and knows nothing else.

## Scores

recall@1 among 1,000 scenes that training never saw, and that differ from every scene of training.

{BEGIN}
{END}

## Training

`recipes/nano_clip.py`: contrastive, 256 pictures a step with captions in both languages and 64 captions that are
untrue in one detail, and beside it the tags of each picture, by a linear layer that is thrown away. Then the sentences
alone go on learning, against the pictures' fixed vectors (locked-image tuning).

![Loss and scores over the steps](curves.png)

## Use

```bash
kuamo index PICTURES
kuamo find "橘猫" --in PICTURES
```
"""


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_600)
    parser.add_argument("--locked-steps", type=int, default=320)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    task = Contrast()
    train(RUNS / "nano-clip", task, steps=options.steps, rate=2e-3, every=100, scored=500)
    locked = Locked(task.model, task.tokenizer)
    train(RUNS / "nano-clip-locked", locked, steps=options.locked_steps, rate=1.5e-3, every=40, scored=80)
    write(task, FOLDER)


if __name__ == "__main__":
    main()
