"""Vision-language checkpoints, from the folder to the streamed answer."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kuamo.contracts import ChatRequest, Message, Sampling
from kuamo.engines.answer.vision_language import VisionLanguage
from kuamo.errors import KuamoError
from kuamo.media.image import Image

FAMILIES = ["llava", "qwen2_vl", "smolvlm", "smolvlm2"]


def picture(width: int, height: int, seed: int = 0) -> Image:
    return Image(np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8))


def ask(
    text: str = "What is in this picture?", *images: Image, turns: tuple[Message, ...] = (), **sampling: Any
) -> ChatRequest:
    settings = {"max_new_tokens": 12, "temperature": 0.0, **sampling}
    return ChatRequest(messages=(*turns, Message("user", text, images)), sampling=Sampling(**settings))


def load(folder: Path, precision: str = "fp32") -> VisionLanguage:
    return VisionLanguage.load(str(folder), device="cpu", precision=precision)


@pytest.fixture(scope="module")
def llava(checkpoint: Callable[[str], Path]) -> VisionLanguage:
    return load(checkpoint("llava"))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_reply_comes_in_pieces_and_is_what_the_model_itself_generates(
    family: str, checkpoint: Callable[[str], Path]
) -> None:
    engine = load(checkpoint(family))
    request = ask("What is in this picture?", picture(50, 40), max_new_tokens=40)
    pieces = list(engine.answer(request))
    content = [{"type": "image", "image": picture(50, 40).pil()}, {"type": "text", "text": "What is in this picture?"}]
    inputs = engine._processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    tokens = engine._model.generate(**inputs, max_new_tokens=40, do_sample=False)
    new = tokens[0, inputs["input_ids"].shape[1] :]
    assert "".join(pieces) == engine._processor.tokenizer.decode(new, skip_special_tokens=True)
    assert len(pieces) > 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_pictures_matter_and_there_may_be_several_in_several_turns(
    family: str, checkpoint: Callable[[str], Path]
) -> None:
    engine = load(checkpoint(family))
    first = (Message("user", "What is this?", (picture(64, 32),)), Message("assistant", "A car."))

    def reply(seed: int) -> str:
        images = (picture(40, 60, seed), picture(30, 30, seed + 1))
        return "".join(engine.answer(ask("And these two?", *images, turns=first, max_new_tokens=24)))

    assert reply(1) != reply(7)
    assert "".join(engine.chat(ask("No picture at all."))) != ""


@pytest.mark.parametrize("family", FAMILIES)
def test_special_tokens_in_a_question_are_only_text(family: str, checkpoint: Callable[[str], Path]) -> None:
    engine = load(checkpoint(family))
    for token in ("<image>", "<|image_pad|>", "<|im_end|>", "</s>"):
        assert "".join(engine.answer(ask(f"What does {token} mean?", picture(40, 40))))


def test_the_same_seed_says_the_same_and_leaves_everyone_elses_randomness_alone(llava: VisionLanguage) -> None:
    request = ask("Say something.", temperature=1.0, top_p=1.0, seed=5, max_new_tokens=30)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    said = "".join(llava.answer(request))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert "".join(llava.answer(request)) == said
    other = ask("Say something.", temperature=1.0, top_p=1.0, seed=6, max_new_tokens=30)
    assert "".join(llava.answer(other)) != said


def test_sampling_without_a_seed_varies(llava: VisionLanguage) -> None:
    request = ask("Say something.", temperature=1.0, top_p=1.0, max_new_tokens=30)
    assert len({"".join(llava.answer(request)) for _ in range(3)}) > 1


def test_closing_stops_the_model_within_one_token(llava: VisionLanguage) -> None:
    steps = []
    hook = llava._model.register_forward_hook(lambda *_: steps.append(1))
    try:
        pieces = llava.answer(ask("Tell me a very long story.", max_new_tokens=400, temperature=1.5, top_p=1.0, seed=1))
        next(pieces)
        pieces.close()
        made = len(steps)
        assert made < 200
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("generate")]
        assert len(steps) == made
    finally:
        hook.remove()


def test_a_fault_in_the_generating_thread_reaches_the_caller(llava: VisionLanguage) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("in the model")

    hook = llava._model.register_forward_hook(fail)
    try:
        with pytest.raises(ZeroDivisionError, match="in the model"):
            list(llava.answer(ask()))
    finally:
        hook.remove()


def test_a_conversation_longer_than_the_window_is_refused_and_new_tokens_stay_inside_it(llava: VisionLanguage) -> None:
    with pytest.raises(KuamoError) as caught:
        list(llava.answer(ask("word " * 600)))
    assert caught.value.code == "conversation_too_long"
    assert caught.value.values["window"] == 512
    assert list(llava.answer(ask("word " * 90, picture(40, 40), max_new_tokens=2000, temperature=1.0, seed=1)))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("precision", ["int8", "nf4"])
def test_quantised_on_a_cpu_with_its_sight_left_whole(
    family: str, precision: str, checkpoint: Callable[[str], Path]
) -> None:
    from bitsandbytes.nn import Linear4bit, Linear8bitLt

    engine = load(checkpoint(family), precision)
    small = {name for name, module in engine._model.named_modules() if isinstance(module, Linear4bit | Linear8bitLt)}
    assert any(name.endswith("q_proj") for name in small)
    assert all("language_model" in name or "text_model" in name for name in small)
    assert engine.precision == precision
    assert "".join(engine.answer(ask("What is this?", picture(40, 40))))


def test_a_checkpoint_in_the_layout_of_before_transformers_5_loads(
    checkpoint: Callable[[str], Path], llava: VisionLanguage, tmp_path: Path
) -> None:
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "old")
    settings = json.loads((folder / "processor_config.json").read_text())
    pictures = settings.pop("image_processor")
    pictures["image_processor_type"] = "CLIPImageProcessor"
    (folder / "preprocessor_config.json").write_text(json.dumps({**pictures, "processor_class": "LlavaProcessor"}))
    (folder / "processor_config.json").write_text(json.dumps(settings))
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    request = ask("What is this?", picture(50, 40))
    assert list(load(folder).answer(request)) == list(llava.answer(request))


def damaged(folder: Path, how: str) -> None:
    weights = folder / "model.safetensors"
    if how == "cut off":
        weights.write_bytes(weights.read_bytes()[:20_000])
    elif how == "no processor":
        (folder / "processor_config.json").unlink()
        (folder / "tokenizer.json").unlink()
    elif how == "no template":
        (folder / "chat_template.jinja").unlink()
    elif how == "weights missing":
        from safetensors.torch import load_file, save_file

        tensors = load_file(weights)
        save_file({name: tensor for name, tensor in tensors.items() if "v_proj" not in name}, weights)
    elif how == "other type":
        (folder / "config.json").write_text(json.dumps({"model_type": "nonsense"}))
    else:
        settings = json.loads((folder / "config.json").read_text())
        settings["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForImageTextToText": "evil.Model"}
        settings["model_type"] = "evil"
        (folder / "config.json").write_text(json.dumps(settings))
        (folder / "evil.py").write_text("raise SystemExit('code of the checkpoint was run')")


@pytest.mark.parametrize(
    "how", ["cut off", "no processor", "no template", "weights missing", "other type", "code of its own"]
)
def test_a_checkpoint_that_cannot_be_used_says_why(how: str, checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "broken")
    damaged(folder, how)
    with pytest.raises(KuamoError) as caught:
        load(folder)
    assert caught.value.code == "model_unsupported"
    assert caught.value.values["name"] == "broken"
    assert len(str(caught.value.values["reason"])) > 10


def test_a_checkpoint_that_needs_torchvision_says_so(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "llama4")
    settings = json.loads((folder / "processor_config.json").read_text())
    settings["image_processor"]["image_processor_type"] = "Llama4ImageProcessor"
    (folder / "processor_config.json").write_text(json.dumps(settings))
    from transformers.utils import is_torchvision_available

    if is_torchvision_available():
        pytest.skip("torchvision is here")
    with pytest.raises(KuamoError) as caught:
        load(folder)
    assert caught.value.code == "model_unsupported"
    assert "torchvision" in str(caught.value.values["reason"]).lower()
