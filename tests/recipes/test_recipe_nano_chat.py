"""The recipe runs from data to card, and a kill costs nothing but time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file

RECIPE = Path(__file__).parents[2] / "recipes" / "nano_chat.py"
TOY = ["--steps", "60", "--batch", "4", "--hidden", "96", "--layers", "1", "--vocabulary", "500"]
TOY += ["--corpus-dialogues", "100", "--checkpoint-seconds", "0", "--score-steps", "100", "--most-questions", "40"]


def start(folder: Path) -> subprocess.Popen[str]:
    """Start the recipe at toy scale, with its working files in `folder`."""
    command = [sys.executable, str(RECIPE), "--run", str(folder), "--out", str(folder / "out"), *TOY]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_step(folder: Path, step: int) -> None:
    """Wait until a checkpoint of that step or a later one is written."""
    file = folder / "checkpoint.pt"
    deadline = time.monotonic() + 120
    while not file.exists() or torch.load(file, weights_only=True)["step"] < step:
        assert time.monotonic() < deadline, "no checkpoint came"
        time.sleep(0.05)


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


def test_what_it_writes_is_a_checkpoint_as_on_the_hub(model_folder: Path) -> None:
    written = {file.name for file in model_folder.iterdir()}
    assert written == {
        "README.md", "chat_template.jinja", "config.json", "curves.png", "generation_config.json", "model.safetensors",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    messages = [{"role": "user", "content": "你好 hello"}, {"role": "assistant", "content": "嗨！"}]
    coded = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    learned = [token for token, mask in zip(coded["input_ids"], coded["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(learned) == "嗨！<|end|>"
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.eos_token_id == learned[-1]
    assert "| in scope |" in (model_folder / "README.md").read_text(encoding="utf-8")
