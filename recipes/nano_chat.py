"""nano-chat, a Llama of under three million parameters that makes small talk in English and Chinese.

    python recipes/nano_chat.py            train (resumes), then write src/kuamo/weights/nano-chat with its card

Data: kuamo.world.dialogue, which has no end. Loss: on the assistant's tokens only. The tokenizer, a byte-level BPE, is
the one that is there, because nano-llava shares it; a new one makes nano-llava's weights useless.
"""

import argparse
import re
import shutil
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from training import BEGIN as SCORES_BEGIN
from training import END as SCORES_END
from training import RUNS, Task, finish, train
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from kuamo.world.dialogue import Dialogue, dialogue, examination
from kuamo.world.language import caption, questions
from kuamo.world.phrases import LANGUAGES
from kuamo.world.scene import make_scene

FOLDER = Path("src/kuamo/weights/nano-chat")
BEGIN, END, PAD = "<|begin|>", "<|end|>", "<|pad|>"
SPECIAL = [PAD, BEGIN, END, "<|system|>", "<|user|>", "<|assistant|>", "<image>"]
# A turn's content is a text or, where a model sees, a list of pictures and texts.
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% set said %}{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{% endset %}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ said + eos_token }}{% endgeneration %}"
    "{% else %}{{ said + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
GROUP = 8  # batches whose dialogues are sorted by length together
LEFT_OUT = 0.06
UNLEARNED = -100
Coded = tuple[list[int], list[int]]
"""A dialogue's token ids and, for each, whether the assistant says it (1) or not (0)."""


def corpus(dialogues: int) -> Iterator[str]:
    """Yield the texts that a tokenizer is trained on: dialogues, and captions and questions of the small world's
    pictures, so that a model that sees can share it.
    """
    for number in range(dialogues):
        yield from (message["content"] for message in dialogue("train", 0, number).messages())
    for number in range(dialogues // 4):
        scene, random = make_scene(number), Random(number)
        for language in LANGUAGES:
            yield caption(scene, language, random)
            yield from (f"{one.question} {one.answer}" for one in questions(scene, language, random, 3))


def train_tokenizer(vocabulary: int = 4_096, dialogues: int = 30_000) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer; each Chinese character and each digit stands alone."""
    tokenizer = Tokenizer(models.BPE())
    split = [pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"), pre_tokenizers.Digits(individual_digits=True)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(dialogues), trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, pad_token=PAD, padding_side="left",
        extra_special_tokens={"image_token": "<image>"}, model_max_length=1024,
    )  # fmt: skip
    wrapped.chat_template = TEMPLATE
    return wrapped


def build(tokenizer: PreTrainedTokenizerFast, hidden: int, layers: int) -> LlamaForCausalLM:
    """Return the model with its seeded first weights."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=hidden * 8 // 3, num_hidden_layers=layers,
        num_attention_heads=hidden // 64, max_position_embeddings=1024, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    # Written-out attention: on a CPU in bfloat16 it trains faster than the fused one.
    return LlamaForCausalLM._from_config(config, attn_implementation="eager")


class Talks(Task):
    """The loss of a step: a batch of dialogues of similar length, each new."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, hidden: int = 192, layers: int = 4, batch: int = 64,
        most: int = 10_000, compiled: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.tokenizer, self.batch, self.most = tokenizer, batch, most
        self.always = set(tokenizer.convert_tokens_to_ids([*SPECIAL, *string.digits]))
        self.model = build(tokenizer, hidden, layers)
        trunk = self.model.model.forward
        self.trunk = torch.compile(trunk, dynamic=True) if compiled else trunk
        self.group: tuple[int, list[Coded]] = (-1, [])

    def forward(self, step: int) -> Tensor:
        """Return the mean cross-entropy of what the assistant says; logits are made only where they are needed."""
        ids, labels = self.coded(step)
        following = labels.roll(-1, 1).flatten()
        wanted = (following != UNLEARNED).nonzero()[:, 0]
        # Multiples of 16 and 128: a matrix product of a shape not met before costs more than the padding does.
        targets = pad(following[wanted], (0, -len(wanted) % 128), value=UNLEARNED)
        wanted = pad(wanted, (0, -len(wanted) % 128))
        device = self.model.device
        with torch.autocast(device.type, torch.bfloat16):
            hidden = self.trunk(ids.to(device)).last_hidden_state.flatten(0, 1)[wanted.to(device)]
            return cross_entropy(self.model.lm_head(hidden), targets.to(device))

    def coded(self, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's ids and labels (batch, tokens), padded on the right; UNLEARNED is not learned.

        The dialogues of eight steps are sorted by length, so that little is padding.
        """
        group, place = divmod(step, GROUP)
        if self.group[0] != group:
            first = group * GROUP * self.batch
            coded = [self._coded(first + number) for number in range(GROUP * self.batch)]
            self.group = group, sorted(coded, key=lambda one: len(one[0]))
        start = Random(group).sample(range(GROUP), GROUP)[place] * self.batch
        part = self.group[1][start : start + self.batch]
        length = -(-max(len(ids) for ids, _ in part) // 16) * 16
        ids = torch.tensor([ids + [self.tokenizer.pad_token_id] * (length - len(ids)) for ids, _ in part])
        said = torch.tensor([said + [0] * (length - len(said)) for _, said in part])
        return ids, ids.where(said.bool(), UNLEARNED)

    def _coded(self, number: int) -> Coded:
        """A dialogue without some of the tokens that the user says, digits aside: so other wordings are understood."""
        messages, random = dialogue("train", 0, number).messages(), Random(number)
        coded = self.tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
        pairs = zip(coded["input_ids"], coded["assistant_masks"], strict=True)
        kept = [pair for pair in pairs if pair[1] or pair[0] in self.always or random.random() >= LEFT_OUT]
        ids, said = zip(*kept, strict=True)
        return list(ids), list(said)

    def scores(self) -> dict[str, float]:
        """Return the share of right answers to validation questions, by kind and language."""
        talks = list(examination("validation", 0, 1))
        talks = talks[:: -(-len(talks) // self.most)]
        talks.sort(key=lambda talk: sum(len(turn.question) for turn in talk.turns))
        parts = [talks[start : start + 64] for start in range(0, len(talks), 64)]
        said = [text for part in parts for text in replies(self.model, self.tokenizer, part)]
        return share_by_kind((talk, is_right(text, talk)) for talk, text in zip(talks, said, strict=True))


def is_right(said: str, talk: Dialogue) -> bool:
    """Return whether an answer to the last question is, capitals, spaces and marks aside, one of the right ones."""
    return plain(said) in map(plain, talk.turns[-1].right)


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


def share_by_kind(marks: Iterable[tuple[Dialogue, bool]]) -> dict[str, float]:
    """Return the share of right answers to the dialogues' last questions, by their kind, and each in both languages."""
    groups = defaultdict(list)
    for talk, right in marks:
        turn = talk.turns[-1]
        for name in (turn.kind, f"{turn.kind}, {turn.language}"):
            groups[name].append(right)
    return {name: sum(group) / len(group) for name, group in sorted(groups.items())}


def write(task: Talks, folder: Path, run: Path) -> None:
    """Write the model in half precision as on the hub, with its card and curves."""
    task.model.half().save_pretrained(folder)
    task.tokenizer.save_pretrained(folder)
    finish(folder, run, card(task.model.num_parameters()))


def card(parameters: int) -> str:
    """Return the model card, its scores still to be filled in."""
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

{SCORES_BEGIN}
{SCORES_END}

## Training

`recipes/nano_chat.py`: dialogues made up as it goes, none twice, Muon and AdamW, loss on the assistant's tokens only.

![Loss and validation scores over the steps](curves.png)

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


def main() -> None:
    """Train and write the checkpoint, or score it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--new-tokenizer", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    is_there = (FOLDER / "tokenizer.json").exists() and not options.new_tokenizer
    tokenizer = AutoTokenizer.from_pretrained(FOLDER) if is_there else train_tokenizer()
    task = Talks(tokenizer, compiled=shutil.which("g++") is not None)  # takes a minute, saves a third of each step
    run = RUNS / "nano-chat"
    train(run, task, steps=options.steps, rate=2e-3, every=100, scored=1_000)
    write(task, FOLDER, run)


if __name__ == "__main__":
    main()
