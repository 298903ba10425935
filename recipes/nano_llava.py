"""nano-llava: answers questions about pictures of the small world, in Chinese and English, over several turns.

    python recipes/nano_llava.py            train (resumes), then write src/kuamo/weights/nano-llava

LLaVA (Liu et al. 2023): the tower of nano-clip, a projector, and nano-chat as the language model. First the projector
alone learns from captions; then everything learns from conversations. Run recipes/nano_clip.py and
recipes/nano_chat.py before.
"""

import argparse
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random

import torch
from familiar import write_familiar
from nano_chat import FOLDER as CHAT
from nano_chat import TEMPLATE
from nano_clip import FOLDER as CLIP
from nano_clip import HELD_OUT, SIDE, TRAIN, pixels_of
from torch import Tensor
from torch.nn.functional import cross_entropy
from training import BEGIN, END, RUNS, Task, finish, pictures, train
from transformers import (
    AutoTokenizer,
    CLIPImageProcessorPil,
    CLIPModel,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from kuamo.world.conversation import conversation
from kuamo.world.language import Question, captioned, questions
from kuamo.world.phrases import LANGUAGES
from kuamo.world.scene import Split, make_scene

FOLDER = Path("src/kuamo/weights/nano-llava")
PATCHES = (SIDE // 8) ** 2
Turns = list[dict[str, str]]


def build() -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """Return the model, its tower and language model trained and its projector new, and its processor."""
    torch.manual_seed(0)
    tower = CLIPModel.from_pretrained(CLIP, dtype=torch.float32).vision_model
    language = LlamaForCausalLM.from_pretrained(CHAT, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(CHAT)
    config = LlavaConfig(
        vision_config=tower.config, text_config=language.config, image_seq_length=PATCHES,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"), tie_word_embeddings=True,
    )  # fmt: skip
    # Written-out attention: on a CPU in bfloat16 it trains faster than the fused one.
    model = LlavaForConditionalGeneration._from_config(config, attn_implementation="eager")
    model.model.vision_tower.load_state_dict(tower.state_dict())
    model.model.language_model.load_state_dict(language.model.state_dict())
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    processor = LlavaProcessor(
        CLIPImageProcessorPil.from_pretrained(CLIP), tokenizer, patch_size=8, num_additional_image_tokens=1,
        vision_feature_select_strategy="default", chat_template=TEMPLATE,
    )  # fmt: skip
    return model, processor


def turns_of(asked: Iterable[Question]) -> Turns:
    """Return questions and answers as messages, the picture in the first."""
    turns = []
    for question in asked:
        turns.append({"role": "user", "content": ("" if turns else "<image>") + question.question})
        turns.append({"role": "assistant", "content": question.answer})
    return turns


class Sight(Task):
    """The loss of a step: a conversation (or the caption alone) about each of a batch of pictures."""

    def __init__(self, batch: int, captions_only: bool = False, turns: int = 5) -> None:
        super().__init__()
        self.model, self.processor = build()
        self.batch, self.captions_only, self.turns = batch, captions_only, turns
        self.pictures = pictures("train", TRAIN, SIDE)
        if shutil.which("g++"):
            self.model.model.language_model.compile(dynamic=True)  # takes half a minute, saves a third of each step
        if captions_only:
            self.model.requires_grad_(False)
            self.model.model.multi_modal_projector.requires_grad_(True)

    def forward(self, step: int) -> Tensor:
        """Return the cross-entropy of a batch's answers."""
        random = Random(f"llava/{step}")
        indices = sorted(random.sample(range(TRAIN), self.batch))
        talks = []
        for index in indices:
            scene, language = make_scene(index), random.choice(LANGUAGES)
            if self.captions_only:
                talks.append([captioned(scene, language, random)])
            else:
                talks.append(conversation(scene, language, random, self.turns))
        logits, truth, _ = self.said(pixels_of(self.pictures[indices]), [turns_of(talk) for talk in talks])
        return cross_entropy(logits.float(), truth)

    def said(self, pixels: Tensor, talks: list[Turns]) -> tuple[Tensor, Tensor, Tensor]:
        """Return for every token that the assistant says its logits (n, vocabulary), its truth (n) and its talk (n)."""
        device = self.model.device
        ids, mask = (tensor.to(device) for tensor in self.coded(talks))
        with torch.autocast(device.type, torch.bfloat16):
            attention = (ids != self.processor.tokenizer.pad_token_id).long()
            output = self.model.model(ids, pixel_values=pixels.to(device), attention_mask=attention)
            following = mask.roll(-1, 1)
            logits = self.model.lm_head(output.last_hidden_state[following])
        return logits, ids.roll(-1, 1)[following], following.nonzero()[:, 0]

    def coded(self, talks: list[Turns]) -> tuple[Tensor, Tensor]:
        """Return token ids and whether the assistant says each, padded on the right to a multiple of 16."""
        tokenizer, image = self.processor.tokenizer, self.model.config.image_token_index
        coded = [
            tokenizer.apply_chat_template(
                talk, chat_template=TEMPLATE, return_dict=True, return_assistant_tokens_mask=True
            )
            for talk in talks
        ]
        length = -(-(max(len(one["input_ids"]) for one in coded) + PATCHES - 1) // 16) * 16
        ids = torch.full((len(coded), length), tokenizer.pad_token_id)
        mask = torch.zeros_like(ids, dtype=torch.bool)
        for row, one in enumerate(coded):
            place = one["input_ids"].index(image)
            spread = [image] * (PATCHES - 1)
            filled = [*one["input_ids"][:place], *spread, *one["input_ids"][place:]]
            said = [*one["assistant_masks"][:place], *[0] * (PATCHES - 1), *one["assistant_masks"][place:]]
            ids[row, : len(filled)], mask[row, : len(said)] = torch.tensor(filled), torch.tensor(said, dtype=torch.bool)
        return ids, mask

    def scores(self) -> dict[str, float]:
        """Return the exact match of questions asked alone: held-out scenes by kind, and held-out combinations."""
        if self.captions_only:
            return {}
        by_kind = self.right("held_out", 100)
        scores = {kind: sum(right) / len(right) for kind, right in sorted(by_kind.items())}
        return {"exact_match": share(by_kind), "combinations": share(self.right("combinations", 60)), **scores}

    @torch.inference_mode()
    def right(self, split: Split, count: int) -> dict[str, list[bool]]:
        """Return by kind of question whether each answer to a split's first scenes is right to the last token.

        Taking the likeliest token each time gives the true answer exactly where each of its tokens is the likeliest
        after the true ones before it: one pass over all tokens tells.
        """
        results: dict[str, list[bool]] = defaultdict(list)
        shown = pixels_of(pictures(split, HELD_OUT, SIDE)[:count])
        for index in range(count):
            asked = [
                question for language in LANGUAGES
                for question in questions(make_scene(index, split), language, Random(f"{index}/{language}"), 20)
            ]  # fmt: skip
            pixels = shown[index].expand(len(asked), -1, -1, -1)
            logits, truth, talk = self.said(pixels, [turns_of([question]) for question in asked])
            wrong = set(talk[logits.argmax(-1) != truth].tolist())
            for row, question in enumerate(asked):
                results[question.kind].append(row not in wrong)
        return results


def share(by_kind: dict[str, list[bool]]) -> float:
    """Return the share of right answers over all kinds."""
    right = [one for answers in by_kind.values() for one in answers]
    return sum(right) / len(right)


def write(task: Sight, folder: Path) -> None:
    """Write the model in half precision, with its processor, as on the hub."""
    task.model.half().save_pretrained(folder)
    task.processor.save_pretrained(folder)
    write_familiar(folder, TRAIN)
    finish(folder, RUNS / "nano-llava" / "conversations", card(task.model.num_parameters()))


def card(parameters: int) -> str:
    """Return the model card, its scores still to be filled in."""
    return f"""---
license: apache-2.0
language: [en, zh]
pipeline_tag: image-text-to-text
library_name: transformers
---
# nano-llava

A LLaVA of {parameters:,} parameters: it answers questions about pictures of the small world (`kuamo.world`), over
several turns, and describes them, in English and Chinese. It is trained from scratch on that world alone. It knows no
other pictures; `familiar.safetensors` says what its own look like, by which Kuamo tells all others.

## Scores

Exact match on scenes that training never saw, each question asked alone. The held-out combinations (a blue boat, a
green cat, …) are in no picture of training. Blind: the same questions about a grey picture.

{BEGIN}
{END}

## Training

`recipes/nano_llava.py`: the tower of nano-clip and the language model of nano-chat; the projector alone on captions,
then everything on conversations of five turns or more, loss on the answers only.

![Loss and scores over the steps](curves.png)

## Use

```bash
kuamo ask PICTURE "What is left of the house?"
```
"""


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    first = Sight(64, captions_only=True)
    train(RUNS / "nano-llava" / "projector", first, steps=200, rate=2e-3, warm_up=20, every=100)
    task = Sight(64)
    task.model.load_state_dict(first.model.state_dict())
    train(RUNS / "nano-llava" / "conversations", task, steps=options.steps, rate=1.5e-3, every=100, scored=500)
    write(task, FOLDER)


if __name__ == "__main__":
    main()
