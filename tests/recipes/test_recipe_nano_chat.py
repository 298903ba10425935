"""The recipe runs from data to card, and a kill costs nothing but time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file

ROOT = Path(__file__).parents[2]
TOY = """
from pathlib import Path
import torch
from nano_chat import FOLDER, AutoTokenizer, Talks, train, write
torch.set_num_threads(1)  # the last digits of a sum depend on how many share it
task = Talks(AutoTokenizer.from_pretrained(FOLDER), hidden=64, layers=1, batch=4, most=40)
train(Path({folder!r}), task, steps=40, rate=2e-3, warm_up=2, every=1, scored=20)
write(task, Path({folder!r}) / "out", Path({folder!r}))
"""


def start(folder: Path) -> subprocess.Popen[str]:
    """Start the recipe at toy scale, with its working files in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "recipes")}
    command = [sys.executable, "-c", TOY.format(folder=str(folder))]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_for_step(folder: Path, step: int) -> None:
    """Wait until the losses of that many steps are noted."""
    file = folder / "curves.jsonl"
    deadline = time.monotonic() + 120
    while not file.exists() or len(file.read_text().splitlines()) < step:
        assert time.monotonic() < deadline, "it did not come to that step"
        time.sleep(0.02)


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for the recipe's end, which must be a good one."""
    output, _ = process.communicate()
    assert process.returncode == 0, output


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model trained in one go."""
    folder = tmp_path_factory.mktemp("through")
    finish(start(folder))
    return folder / "out"


def test_killed_and_started_again_it_ends_with_the_same_weights(model_folder: Path, tmp_path: Path) -> None:
    killed = start(tmp_path)
    wait_for_step(tmp_path, 5)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    finish(start(tmp_path))
    one, other = (load_file(folder / "model.safetensors") for folder in (model_folder, tmp_path / "out"))
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)


def test_it_learns_and_is_watched(model_folder: Path) -> None:
    rows = [json.loads(line) for line in (model_folder.parent / "curves.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 41))
    assert sum(row["loss"] for row in rows[-10:]) < 0.9 * sum(row["loss"] for row in rows[:10])
    scored = [set(row) - {"step", "loss"} for row in rows if len(row) > 2]
    assert len(scored) == 2
    assert {"in scope, en", "follow-up, zh", "beyond, en"} <= scored[0]


def test_what_it_writes_is_a_checkpoint_as_on_the_hub(model_folder: Path) -> None:
    written = {file.name for file in model_folder.iterdir()}
    assert written == {
        "README.md", "chat_template.jinja", "config.json", "curves.png", "generation_config.json", "model.safetensors",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    assert learned_of(tokenizer)[-1] == tokenizer.eos_token_id == model.config.eos_token_id
    assert "<!-- scores" in (model_folder / "README.md").read_text(encoding="utf-8")


def test_a_new_tokenizer_knows_what_the_assistant_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "recipes"))
    monkeypatch.delitem(sys.modules, "training", raising=False)
    from nano_chat import train_tokenizer

    tokenizer = train_tokenizer(vocabulary=500, dialogues=40)
    assert len(tokenizer) == 500
    assert tokenizer.decode(learned_of(tokenizer)) == "嗨！<|end|>"


def learned_of(tokenizer) -> list[int]:
    """The tokens of a dialogue that are learned."""
    messages = [{"role": "user", "content": "你好 hello"}, {"role": "assistant", "content": "嗨！"}]
    coded = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    return [token for token, mask in zip(coded["input_ids"], coded["assistant_masks"], strict=True) if mask]
