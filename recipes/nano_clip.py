"""nano-clip: pictures and sentences of the small world in one space, in Chinese and English.

    python recipes/nano_clip.py            train (resumes), then write src/kuamo/weights/nano-clip with its card
    python recipes/nano_clip.py --score    print the held-out scores of the weights that are there

Contrastive pre-training as in CLIP (Radford et al. 2021): a batch's pictures and captions are matched both ways; each
picture has its caption in both languages, and captions that are untrue in one detail stand among the wrong ones.
"""

import argparse
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from training import RUNS, pictures, train
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, PreTrainedTokenizerFast

from kuamo.messages import Language
from kuamo.world.language import caption, wrong_caption
from kuamo.world.scene import Split, make_scene

SIDE, LENGTH = 64, 96
TRAIN, HELD_OUT = 60_000, 2_000
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
LANGUAGES: tuple[Language, ...] = ("en", "zh")
FOLDER = Path("src/kuamo/weights/nano-clip")


def tokenizer_of(scenes: int = 4_000) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on the world's captions."""
    texts = [caption(make_scene(index), language, Random(index)) for index in range(scenes) for language in LANGUAGES]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|start|>", "<|end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1024, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|start|> $A <|end|>", special_tokens=[("<|start|>", 1), ("<|end|>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=special[0], bos_token=special[1], eos_token=special[2],
        model_max_length=LENGTH,
    )  # fmt: skip


def build(vocabulary: int) -> CLIPModel:
    """Return the model with seeded random weights: about 3 M parameters."""
    torch.manual_seed(0)
    config = CLIPConfig(
        projection_dim=192,
        vision_config={
            "hidden_size": 192, "intermediate_size": 576, "num_hidden_layers": 5, "num_attention_heads": 6,
            "image_size": SIDE, "patch_size": 8, "projection_dim": 192,
        },
        text_config={
            "hidden_size": 160, "intermediate_size": 480, "num_hidden_layers": 4, "num_attention_heads": 5,
            "vocab_size": vocabulary, "max_position_embeddings": LENGTH, "projection_dim": 192,
            "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
        },
    )  # fmt: skip
    return CLIPModel(config)


def pixels_of(batch: NDArray[np.uint8]) -> Tensor:
    """Return pictures (n, side, side, 3) as the processor gives them: float32 (n, 3, side, side), normalised."""
    values = torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2).float() / 255
    return (values - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


class Contrast:
    """The loss of a step: 256 pictures, a caption of each, and 64 wrong captions beside them."""

    def __init__(self, model: CLIPModel, tokenizer: PreTrainedTokenizerFast, batch: int = 256) -> None:
        self.model, self.tokenizer, self.batch = model, tokenizer, batch
        self.pictures = pictures("train", TRAIN, SIDE)

    def __call__(self, step: int) -> Tensor:
        """Return the symmetric cross-entropy of the step's batch."""
        random = Random(step)
        indices = random.sample(range(TRAIN), self.batch)
        scenes = [make_scene(index) for index in indices]
        texts = [caption(scene, random.choice(LANGUAGES), random) for scene in scenes]
        texts += [wrong_caption(scene, random.choice(LANGUAGES), random) for scene in scenes[: self.batch // 4]]
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16):
            output = self.model(pixel_values=pixels_of(self.pictures[indices]), **tokens)
        by_picture = output.logits_per_image.float()
        truth = torch.arange(self.batch)
        cross_entropy = torch.nn.functional.cross_entropy
        return (cross_entropy(by_picture, truth) + cross_entropy(by_picture[:, : self.batch].T, truth)) / 2


def _vectors(
    model: CLIPModel, tokenizer: PreTrainedTokenizerFast, split: Split, language: Language, count: int
) -> tuple[Tensor, Tensor]:
    scenes = [make_scene(index, split) for index in range(count)]
    tokens = tokenizer(
        [caption(scene, language) for scene in scenes], padding=True, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        output = model(pixel_values=pixels_of(pictures(split, HELD_OUT, SIDE)[:count]), **tokens)
    return output.image_embeds, output.text_embeds


def recall(model: CLIPModel, tokenizer: PreTrainedTokenizerFast, count: int = 1_000) -> dict[str, float]:
    """Return recall@1 among `count` held-out scenes, text to image and image to text, in each language."""
    scores = {}
    for language in LANGUAGES:
        images, texts = _vectors(model, tokenizer, "held_out", language, count)
        nearest = images @ texts.T
        truth = torch.arange(count)
        scores[f"image_to_text_{language}"] = float((nearest.argmax(1) == truth).float().mean())
        scores[f"text_to_image_{language}"] = float((nearest.argmax(0) == truth).float().mean())
    return scores


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--score", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = tokenizer_of()
    model = build(len(tokenizer))
    print(f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters, {len(tokenizer)} tokens")
    train(
        RUNS / "nano-clip", model, Contrast(model, tokenizer), steps=options.steps, rate=1e-3, every=250,
        scores_of=lambda: recall(model, tokenizer),
    )  # fmt: skip
    model.half().save_pretrained(FOLDER)
    tokenizer.save_pretrained(FOLDER)
    CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    ).save_pretrained(FOLDER)


if __name__ == "__main__":
    main()
