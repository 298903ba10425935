"""Train nano-chat, a Llama of under three million parameters that makes small talk in English and Chinese.

    python recipes/nano_chat.py            # three quarters of an hour on two CPU cores; after a kill, run it again
    python recipes/nano_chat.py --score    # only print the held-out scores of the shipped weights

Data: kuamo.world.dialogue, which has no end. Tokenizer: byte-level BPE. Loss: on the assistant's tokens only.
Working files go to runs/nano-chat, the finished model to src/kuamo/weights/nano-chat.
"""

import math
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random
from typing import Annotated, Any

import torch
import typer
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from kuamo.world.dialogue import Dialogue, dialogue, examination
from kuamo.world.language import caption, questions
from kuamo.world.phrases import LANGUAGES, Split
from kuamo.world.scene import make_scene

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "src" / "kuamo" / "weights" / "nano-chat"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
BEGIN, END, PAD = "<|begin|>", "<|end|>", "<|pad|>"
SPECIAL = [PAD, BEGIN, END, "<|system|>", "<|user|>", "<|assistant|>", "<image>"]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@dataclass(frozen=True)
class Plan:
    """What is trained, for how long, and where the working files are."""

    run: Path
    seed: int = 0
    vocabulary: int = 4096
    corpus: int = 30_000
    hidden: int = 192
    layers: int = 4
    batch: int = 32
    steps: int = 8_000
    rate: float = 2e-3
    checkpoint_seconds: float = 120
    score_steps: int = 1_000
    most_questions: int = 10_000


# --- tokenizer


def corpus(plan: Plan) -> Iterator[str]:
    """Yield the texts that the tokenizer is trained on: dialogues, and captions and questions of the small world's
    pictures, so that a model that sees can share it.
    """
    for number in range(plan.corpus):
        yield from (message["content"] for message in dialogue("train", plan.seed, number).messages())
    for number in range(plan.corpus // 4):
        scene, random = make_scene(number, "train", plan.seed), Random(number)
        for language in LANGUAGES:
            yield caption(scene, language, random)
            yield from (f"{one.question} {one.answer}" for one in questions(scene, language, random, 3))


def train_tokenizer(plan: Plan) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer; each Chinese character and each digit stands alone."""
    tokenizer = Tokenizer(models.BPE())
    split = [pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"), pre_tokenizers.Digits(individual_digits=True)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=plan.vocabulary, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(plan), trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, pad_token=PAD, padding_side="left",
        extra_special_tokens={"image_token": "<image>"}, model_max_length=1024,
    )  # fmt: skip
    wrapped.chat_template = TEMPLATE
    return wrapped


# --- data and model


def new_model(plan: Plan, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Return the model with its seeded first weights."""
    torch.manual_seed(plan.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=plan.hidden, intermediate_size=plan.hidden * 8 // 3,
        num_hidden_layers=plan.layers, num_attention_heads=plan.hidden // 32,
        max_position_embeddings=1024, tie_word_embeddings=True, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    # Written-out attention: on a CPU in bfloat16 it trains faster than the fused one.
    return LlamaForCausalLM._from_config(config, attn_implementation="eager").to(DEVICE)


def encode(tokenizer: PreTrainedTokenizerFast, talk: Dialogue) -> tuple[list[int], list[int]]:
    """Return a dialogue's token ids and, for each, whether the assistant says it (1) or not (0)."""
    coded = tokenizer.apply_chat_template(talk.messages(), return_dict=True, return_assistant_tokens_mask=True)
    return coded["input_ids"], coded["assistant_masks"]


def batches(plan: Plan, tokenizer: PreTrainedTokenizerFast, start: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield ids and labels (batch, tokens) from step `start` on; -100 marks what is not learned.

    Eight batches are drawn at a time and sorted by length, so that little is padding.
    """
    pool = 8
    for group in range(start // pool, plan.steps // pool + 1):
        first = group * pool * plan.batch
        numbers = range(first, first + pool * plan.batch)
        coded = [encode(tokenizer, dialogue("train", plan.seed, number)) for number in numbers]
        coded.sort(key=lambda one: len(one[0]))
        order = Random(f"{plan.seed}/{group}").sample(range(pool), pool)
        for place in order[start - group * pool if group == start // pool else 0 :]:
            yield padded(coded[place * plan.batch : (place + 1) * plan.batch], tokenizer.pad_token_id)


def padded(coded: list[tuple[list[int], list[int]]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return coded dialogues as one tensor of ids and one of labels, padded on the right.

    Lengths are multiples of 16: a matrix product of a shape not met before costs more than the padding does.
    """
    length = -(-max(len(ids) for ids, _ in coded) // 16) * 16
    ids = torch.tensor([ids + [pad] * (length - len(ids)) for ids, _ in coded])
    mask = torch.tensor([mask + [0] * (length - len(mask)) for _, mask in coded])
    return ids, ids.where(mask.bool(), -100)


def loss_of(model: LlamaForCausalLM, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of the labelled tokens; logits are made only where they are needed."""
    following = labels.roll(-1, 1).flatten()
    wanted = (following != -100).nonzero()[:, 0]
    targets = torch.nn.functional.pad(following[wanted], (0, -len(wanted) % 128), value=-100)
    wanted = torch.nn.functional.pad(wanted, (0, -len(wanted) % 128))
    with torch.autocast(model.device.type, torch.bfloat16):
        hidden = model.model(ids.to(model.device)).last_hidden_state.flatten(0, 1)[wanted]
        return torch.nn.functional.cross_entropy(model.lm_head(hidden), targets.to(model.device))


# --- training


def new_optimizers(plan: Plan, model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Return Muon (Jordan et al. 2024) for the layers' matrices, which takes a third fewer steps here than AdamW does,
    and AdamW for the embedding and the norms.
    """
    names = dict(model.named_parameters())
    matrices = [weight for name, weight in names.items() if weight.ndim == 2 and "embed" not in name]
    others = [weight for name, weight in names.items() if weight.ndim < 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=plan.rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def rate_at(plan: Plan, step: int) -> float:
    """Return the learning rate: a linear warm-up over 2 %, then a cosine to 2 %."""
    warm_up = max(1, plan.steps // 50)
    falling = 0.5 * (1 + math.cos(math.pi * max(0, step - warm_up) / max(1, plan.steps - warm_up)))
    return plan.rate * min(1, (step + 1) / warm_up) * (0.02 + 0.98 * falling)


def train(plan: Plan, tokenizer: PreTrainedTokenizerFast) -> tuple[LlamaForCausalLM, list[dict[str, float]]]:
    """Train to the last step, from the last checkpoint where there is one; return the model and its curve."""
    model = new_model(plan, tokenizer)
    optimizers = new_optimizers(plan, model)
    start, curve = restore(plan, model, optimizers)
    saved = time.monotonic()
    steps = tqdm(range(start, plan.steps), initial=start, total=plan.steps, desc="nano-chat", mininterval=10)
    for step, (ids, labels) in zip(steps, batches(plan, tokenizer, start), strict=False):
        for group in chain.from_iterable(optimizer.param_groups for optimizer in optimizers):
            group["lr"] = rate_at(plan, step)
        loss = loss_of(model, ids, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        curve.append({"step": step + 1, "loss": loss.item()})
        if (step + 1) % plan.score_steps == 0:
            curve[-1]["score"] = overall(examine(model, tokenizer, "validation", 1, plan.most_questions))
            steps.set_postfix(loss=f"{loss.item():.3f}", score=f"{curve[-1]['score']:.3f}")
        if time.monotonic() - saved >= plan.checkpoint_seconds or step + 1 == plan.steps:
            keep(plan, model, optimizers, step + 1, curve)
            saved = time.monotonic()
    return model, curve


def keep(plan: Plan, model: LlamaForCausalLM, optimizers: list[Any], step: int, curve: list[dict[str, float]]) -> None:
    """Write a checkpoint; a kill at any time leaves the old one or the new one whole."""
    states = [optimizer.state_dict() for optimizer in optimizers]
    state = {"model": model.state_dict(), "optimizers": states, "step": step, "curve": curve}
    torch.save(state, plan.run / "checkpoint.new")
    os.replace(plan.run / "checkpoint.new", plan.run / "checkpoint.pt")


def restore(plan: Plan, model: LlamaForCausalLM, optimizers: list[Any]) -> tuple[int, list[dict[str, float]]]:
    """Load the last checkpoint, if there is one; return the step to go on with and the curve so far."""
    file = plan.run / "checkpoint.pt"
    if not file.exists():
        return 0, []
    state = torch.load(file, weights_only=True, map_location=DEVICE)
    model.load_state_dict(state["model"])
    for optimizer, own in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(own)
    return state["step"], state["curve"]


# --- examination


@dataclass(frozen=True)
class Mark:
    """A question asked in an examination, what the model said, and whether that was right."""

    kind: str
    language: str
    intent: str
    question: str
    said: str
    right: bool


def plain(text: str) -> str:
    """Return a text without capitals, spaces and marks."""
    return re.sub(r"[\W_]", "", text.lower())


@torch.inference_mode()
def replies(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, talks: list[Dialogue]) -> list[str]:
    """Return what the model answers to the last question of each dialogue, the likeliest token each time."""
    asked = [talk.messages()[:-1] for talk in talks]
    coded = tokenizer.apply_chat_template(
        asked, add_generation_prompt=True, padding=True, return_dict=True, return_tensors="pt"
    ).to(model.device)
    ids = model.generate(**coded, max_new_tokens=64, do_sample=False)
    return tokenizer.batch_decode(ids[:, coded["input_ids"].shape[1] :], skip_special_tokens=True)


def examine(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, split: Split, samples: int, most: int = 10_000
) -> list[Mark]:
    """Ask the questions that training never saw; an answer is right if it is one of the right ones, marks aside.

    `most` questions at most, spread over the examination.
    """
    marks = []
    talks = list(examination(split, 0, samples))
    talks = talks[:: -(-len(talks) // most)]
    talks.sort(key=lambda talk: sum(len(turn.question) for turn in talk.turns))
    for start in range(0, len(talks), 64):
        part = talks[start : start + 64]
        for talk, said in zip(part, replies(model, tokenizer, part), strict=True):
            turn = talk.turns[-1]
            right = plain(said) in map(plain, turn.right)
            marks.append(Mark(turn.kind, turn.language, turn.intent, turn.question, said, right))
    return marks


def overall(marks: list[Mark]) -> float:
    """Return the share of right answers, every kind and language counting the same."""
    shares = shares_by(marks, lambda mark: (mark.kind, mark.language))
    return sum(share for share, _ in shares.values()) / len(shares)


def shares_by(marks: list[Mark], key: Any) -> dict[Any, tuple[float, int]]:
    """Return by key the share of right answers and the number of questions."""
    groups = defaultdict(list)
    for mark in marks:
        groups[key(mark)].append(mark.right)
    return {name: (sum(group) / len(group), len(group)) for name, group in groups.items()}


def score_table(marks: list[Mark]) -> str:
    """Return the scores as Markdown: by kind and language, then the five weakest intents of each language."""
    shares = shares_by(marks, lambda mark: (mark.kind, mark.language))
    lines = ["| held-out questions | English | Chinese |", "|---|---|---|"]
    for kind, name in (("in scope", "in scope"), ("follow-up", "follow-ups"), ("beyond", "beyond its scope, refused")):
        cells = ["{:.1%} of {}".format(*shares.get((kind, language), (0, 0))) for language in LANGUAGES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "Weakest:", ""]
    for language, name in (("en", "English"), ("zh", "Chinese")):
        own = shares_by([mark for mark in marks if mark.language == language], lambda mark: mark.intent)
        worst = sorted(own.items(), key=lambda item: item[1])[:5]
        lines.append(f"- {name}: " + ", ".join(f"{intent} {share:.0%} of {count}" for intent, (share, count) in worst))
    return "\n".join(lines)


# --- the finished model


def publish(
    plan: Plan, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, curve: list[dict[str, float]], out: Path
) -> None:
    """Write the model in half precision as on the hub, with its card and curves; scored as it is written."""
    model.half().save_pretrained(out)
    (out / "model.safetensors").chmod(0o644)
    tokenizer.save_pretrained(out)
    model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    marks = examine(model, tokenizer, "test", 3, plan.most_questions)
    (out / "README.md").write_text(card(plan, model.num_parameters(), score_table(marks)), encoding="utf-8")
    draw(curve, out / "curves.png")
    print(score_table(marks))


def card(plan: Plan, parameters: int, table: str) -> str:
    """Return the model card."""
    return f"""---
license: apache-2.0
language: [en, zh]
pipeline_tag: text-generation
library_name: transformers
---
# nano-chat

A Llama of {parameters:,} parameters that makes small talk and answers simple questions in English and Chinese, in
one or two short spoken sentences, and says so when it does not know. It is trained from scratch on made-up dialogues
alone (`kuamo.world.dialogue`), has seen no other text, and knows nothing else: for real questions use a bigger model.

## Scores

Questions whose wording, or whose topic, training never saw; half of them as typed, half in lower case without marks,
as a speech recogniser writes them. An answer counts if it is, marks aside, one of the right ones, with the right
facts and numbers. Other wordings, held out in the same way, were used to watch training and to mend the data.

{table}

## Training

`recipes/nano_chat.py`: {plan.steps:,} steps of {plan.batch} dialogues, seed {plan.seed}, Muon and AdamW, learning
rate {plan.rate:g} with a cosine, loss on the assistant's tokens only. Byte-level BPE of {plan.vocabulary:,} entries.

![Loss and validation score over the steps](curves.png)

## Use

```python
from kuamo.capabilities.chat import chat
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Message
from kuamo.runtime import Models
from kuamo.settings import Settings

request = ChatRequest(messages=(Message("user", "What can you do?"),), model="nano-chat")
print(chat(request, Models(Catalogue.load(), Settings())).result().text)
```
"""


def draw(curve: list[dict[str, float]], file: Path) -> None:
    """Draw the loss and the validation score over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    axis.plot([one["step"] for one in curve], [one["loss"] for one in curve], color="tab:blue", linewidth=0.6)
    axis.set(xlabel="step", ylabel="loss", yscale="log")
    scored = [one for one in curve if "score" in one]
    right = axis.twinx()
    right.plot([one["step"] for one in scored], [one["score"] for one in scored], color="tab:orange", marker="o")
    right.set(ylabel="validation score", ylim=(0, 1))
    figure.savefig(file, dpi=80)


def main(
    run: Annotated[Path, typer.Option(help="Working files: tokenizer, checkpoint.")] = ROOT / "runs" / "nano-chat",
    out: Annotated[Path, typer.Option(help="Where the finished model goes.")] = WEIGHTS,
    score: Annotated[bool, typer.Option("--score", help="Only print the scores of the model in --out.")] = False,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    seed: int = Plan.seed,
    steps: int = Plan.steps,
    batch: int = Plan.batch,
    hidden: int = Plan.hidden,
    layers: int = Plan.layers,
    vocabulary: int = Plan.vocabulary,
    corpus_dialogues: int = Plan.corpus,
    checkpoint_seconds: float = Plan.checkpoint_seconds,
    score_steps: int = Plan.score_steps,
    most_questions: int = Plan.most_questions,
) -> None:
    """Train nano-chat, or score it."""
    torch.set_num_threads(threads)
    if score:
        tokenizer = AutoTokenizer.from_pretrained(out)
        model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
        return print(score_table(examine(model, tokenizer, "test", 3)))
    plan = Plan(
        run, seed, vocabulary, corpus_dialogues, hidden, layers, batch, steps,
        checkpoint_seconds=checkpoint_seconds, score_steps=score_steps, most_questions=most_questions,
    )  # fmt: skip
    run.mkdir(parents=True, exist_ok=True)
    if not (run / "tokenizer.json").exists():
        train_tokenizer(plan).save_pretrained(run)
    tokenizer = AutoTokenizer.from_pretrained(run)
    model, curve = train(plan, tokenizer)
    publish(plan, model, tokenizer, curve, out)


if __name__ == "__main__":
    typer.run(main)
