"""The table of models: its rows, the profiles' promises, and checkpoints outside it."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from kuamo.catalogue import Catalogue, Model, describe
from kuamo.contracts import Capability
from kuamo.errors import KuamoError

CATALOGUE = Catalogue.load()
BIG = ("small", "standard", "large")


def test_names_are_told_apart() -> None:
    names = [model.name for model in CATALOGUE.models]
    assert len(names) == len(set(names)) > 30


@pytest.mark.parametrize("model", CATALOGUE.models, ids=lambda model: model.name)
def test_a_row_says_what_a_user_must_know(model: Model) -> None:
    assert model.licence != "unknown"
    assert re.fullmatch(r"kuamo\.engines(\.\w+)+:\w+", model.engine)
    assert model.profiles
    if re.fullmatch(r"[\w.-]+/[\w.-]+", model.source):
        assert re.fullmatch(r"[0-9a-f]{40}|main|refs/pr/\d+", model.revision)
        assert model.parameters > 1_000_000
        assert model.memory_gb("nf4") < model.memory_gb("bf16") < model.memory_gb("fp32")


@pytest.mark.parametrize("profile", BIG)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("capability", [word for word in get_args(Capability) if word != "draw"])
def test_every_profile_serves_chinese_and_english(capability: Capability, language: str, profile: str) -> None:
    assert any(model.speaks(language) for model in CATALOGUE.serving(capability, profile))  # type: ignore[arg-type]


@pytest.mark.parametrize(("profile", "language"), [("small", "en"), ("standard", "zh"), ("large", "zh")])
def test_pictures_are_drawn_in_chinese_where_an_open_model_reads_it(profile: str, language: str) -> None:
    assert any(model.speaks(language) for model in CATALOGUE.serving("draw", profile))  # type: ignore[arg-type]


@pytest.mark.parametrize(("profile", "gigabytes"), [("small", 8), ("standard", 25), ("large", 200)])
def test_the_first_choices_of_a_profile_fit_its_machine(profile: str, gigabytes: float) -> None:
    for capability in get_args(Capability):
        first = CATALOGUE.serving(capability, profile)[0]  # type: ignore[arg-type]
        assert first.memory_gb("auto") < gigabytes


def test_own_rows_come_first_and_replace() -> None:
    row = {"name": "sd-turbo", "capabilities": ["draw"], "engine": "-", "source": "me/mine", "profiles": ["small"]}
    catalogue = Catalogue.load([row])
    assert catalogue.serving("draw", "small")[0].source == "me/mine"
    assert [model.source for model in catalogue.models if model.name == "sd-turbo"] == ["me/mine"]


def test_a_row_is_named_by_name_or_source() -> None:
    assert CATALOGUE.named("llava-1.5-7b", "answer") is CATALOGUE.named("llava-hf/llava-1.5-7b-hf", "chat")
    with pytest.raises(KuamoError) as caught:
        CATALOGUE.named("llava-1.5-7b", "draw")
    assert caught.value.code == "unknown_model"


@pytest.mark.parametrize(
    ("kind", "capability", "engine"),
    [
        ("llava", "answer", "VisionLanguage"),
        ("llava", "chat", "VisionLanguage"),
        ("qwen2_5_vl", "answer", "VisionLanguage"),
        ("llama", "chat", "CausalLm"),
        ("qwen3", "chat", "CausalLm"),
        ("siglip", "embed", "Clip"),
        ("diffusers", "draw", "Diffusion"),
        ("whisper", "transcribe", "Whisper"),
        ("wav2vec2", "align", "Ctc"),
        ("vits", "speak", "Vits"),
        ("speecht5", "speak", "SpeechT5"),
        ("url", "answer", "Remote"),
    ],
)
def test_a_checkpoint_outside_the_table_gets_the_engine_of_its_kind(
    kind: str, capability: Capability, engine: str
) -> None:
    assert CATALOGUE.unlisted("somewhere", {"model_type": kind}, capability).engine.endswith(":" + engine)


def test_a_drawing_model_of_which_nothing_is_known_is_taken_to_read_english_alone() -> None:
    assert CATALOGUE.unlisted("somewhere", {"model_type": "diffusers"}, "draw").languages == ("en",)
    assert CATALOGUE.unlisted("http://here/v1#some", {"model_type": "url"}, "draw").speaks("zh")
    assert CATALOGUE.unlisted("somewhere", {"model_type": "llama"}, "chat").speaks("zh")


def test_every_kind_named_is_one_that_transformers_knows() -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    kinds = {kind for row in CATALOGUE.checkpoints for kind in row.model_types}
    assert kinds - {"url", "diffusers", "*"} <= set(CONFIG_MAPPING_NAMES)
    seeing = {kind for row in CATALOGUE.checkpoints if "VisionLanguage" in row.engine for kind in row.model_types}
    assert seeing <= set(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)


def test_a_kind_that_nothing_runs_is_refused() -> None:
    with pytest.raises(KuamoError) as caught:
        CATALOGUE.unlisted("somewhere", {"model_type": "bert"}, "draw")
    assert caught.value.code == "model_unsupported"
    assert "bert" in str(caught.value)


def test_a_folder_is_described_by_its_settings(tmp_path: Path) -> None:
    assert describe(tmp_path) == {}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llava", "名": 1}), encoding="utf-8")
    assert describe(tmp_path)["model_type"] == "llava"
    (tmp_path / "model_index.json").write_text("{}")
    assert describe(tmp_path) == {"model_type": "diffusers"}
