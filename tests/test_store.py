"""Where models lie: the hub's cache as it is on disk, downloads cut short, and the one command that downloads."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_server import COMMIT, hub
from kuamo import store
from kuamo.catalogue import Catalogue, Model
from kuamo.errors import KuamoError

CATALOGUE = Catalogue.load()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def place_in_cache(cache: Path, source: str, files: Path, revision: str = "main") -> Path:
    """Lay a folder's files as the hub's client does: blobs, a snapshot of links to them, a ref to the snapshot."""
    home = cache / ("models--" + source.replace("/", "--"))
    snapshot = home / "snapshots" / COMMIT
    for file in (path for path in files.rglob("*") if path.is_file()):
        blob = home / "blobs" / f"{len(list((home / 'blobs').glob('*'))):040d}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, blob)
        link = snapshot / file.relative_to(files)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    reference = home / "refs" / revision
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(COMMIT)
    return snapshot


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(KuamoError) as caught:
        call()
    return caught.value.code


def test_a_downloaded_checkpoint_is_found_by_its_hub_id(cache: Path, checkpoint: Callable[[str], Path]) -> None:
    snapshot = place_in_cache(cache, "someone/llava", checkpoint("llava"))
    model = store.resolve(CATALOGUE, "answer", "someone/llava")
    assert model.engine.endswith(":VisionLanguage")
    assert store.locate(model) == str(snapshot)
    assert store.is_here(model)


@pytest.mark.parametrize("revision", [COMMIT, "refs/pr/15"])
def test_a_row_pinned_to_a_revision_finds_that_one_only(
    revision: str, cache: Path, checkpoint: Callable[[str], Path]
) -> None:
    place_in_cache(cache, "someone/clip", checkpoint("clip"), revision)
    row = Model(name="clip", capabilities=("embed",), engine="-", source="someone/clip", revision=revision)
    assert store.is_here(row)
    assert not store.is_here(row.model_copy(update={"revision": "0" * 40}))


def test_nothing_is_downloaded_by_looking(cache: Path) -> None:
    assert code_of(lambda: store.resolve(CATALOGUE, "answer", "someone/nothing")) == "model_not_downloaded"
    assert code_of(lambda: store.locate(CATALOGUE.named("llava-1.5-7b", "answer"))) == "model_not_downloaded"
    assert not cache.exists()


def test_a_name_that_can_be_no_model_is_unknown(cache: Path) -> None:
    for name in ("llama", "a/b/c", "no-such-model"):
        assert code_of(lambda name=name: store.resolve(CATALOGUE, "chat", name)) == "unknown_model"
    for name in ("../etc", "./my-llava", "/models/gone", "~/gone"):
        assert code_of(lambda name=name: store.resolve(CATALOGUE, "chat", name)) == "file_not_found"


def test_a_folder_is_served_by_the_engine_of_its_kind(checkpoint: Callable[[str], Path]) -> None:
    kinds = {"llava": "answer", "qwen2_vl": "answer", "smolvlm": "chat", "llama": "chat", "clip": "embed"}
    kinds |= {"siglip": "embed", "stable_diffusion": "draw", "sdxl": "draw"}
    for name, capability in kinds.items():
        model = store.resolve(CATALOGUE, capability, str(checkpoint(name)))  # type: ignore[arg-type]
        assert store.locate(model) == str(checkpoint(name))
    assert code_of(lambda: store.resolve(CATALOGUE, "draw", str(checkpoint("clip")))) == "model_unsupported"


@pytest.mark.parametrize("lost", ["model.safetensors", "config.json"])
def test_a_download_cut_short_is_not_here(lost: str, cache: Path, checkpoint: Callable[[str], Path]) -> None:
    snapshot = place_in_cache(cache, "someone/llava", checkpoint("llava"))
    blob = (snapshot / lost).resolve()
    blob.rename(blob.with_suffix(".incomplete"))
    row = Model(name="llava", capabilities=("answer",), engine="-", source="someone/llava")
    assert code_of(lambda: store.locate(row)) == "model_not_downloaded"


@pytest.mark.parametrize("lost", ["unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json", "vae"])
def test_a_diffusers_folder_is_whole_with_all_its_parts(
    lost: str, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(checkpoint("stable_diffusion"), tmp_path / "sd")
    assert store.is_whole(folder)
    shutil.rmtree(folder / lost) if (folder / lost).is_dir() else (folder / lost).unlink()
    assert not store.is_whole(folder)


def test_a_sharded_checkpoint_is_whole_with_all_its_shards(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "sharded"
    AutoModelForCausalLM.from_pretrained(checkpoint("llama")).save_pretrained(folder, max_shard_size="100kB")
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert store.is_whole(folder)
    index = folder / "model.safetensors.index.json"
    index.rename(folder / "index")
    assert not store.is_whole(folder)
    (folder / "index").rename(index)
    shards[-1].unlink()
    assert not store.is_whole(folder)


def test_the_weights_are_taken_once_and_safely() -> None:
    transformers = [
        "config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json",
        "merges.txt", "spiece.model", "chat_template.jinja", "preprocessor_config.json",
    ]  # fmt: skip
    left = [
        "README.md", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "training_args.bin",
        "model.fp16.safetensors", "consolidated.safetensors", "original/params.json", "original/consolidated.00.pth",
        "open_clip_model.safetensors", "onnx/config.json", "pytorch_model-00001-of-00002.bin", "modeling_own.py",
    ]  # fmt: skip
    assert store.wanted(transformers + left) == transformers


def test_of_a_diffusers_repository_only_the_parts_are_taken() -> None:
    parts = ("unet", "text_encoder", "vae", "scheduler", "tokenizer")
    taken = [
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors", "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    ]  # fmt: skip
    left = [
        "v1-5-pruned.safetensors", "v1-5-pruned-emaonly.ckpt", "sd_xl_base_1.0.safetensors", "unet/model.onnx",
        "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.non_ema.safetensors",
        "unet/diffusion_pytorch_model.bin", "vae_1_0/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors", "vae_decoder/openvino_model.bin",
    ]  # fmt: skip
    assert store.wanted(taken + left, parts) == taken


@given(st.lists(st.text(min_size=1)), st.lists(st.text()))
def test_whatever_a_repository_names_no_file_that_can_run_code_is_taken(files: list[str], parts: list[str]) -> None:
    endings = [".bin", ".py", ".pt", ".ckpt", ".pkl", ".pickle", ".pth", ".so"]
    assert store.wanted([name + ending for name in files for ending in endings], parts) == []


def pulled(address: str, home: Path, source: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Pull in a program of its own: the hub's client reads its variables once."""
    code = f"from kuamo.store import *\nprint(bytes_to_pull({source!r}), is_whole(pull({source!r})))"
    own = {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "*", **variables}
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "HF_HUB_OFFLINE": "0", **own}, capture_output=True, text=True
    )


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pull_takes_a_diffusers_repository_and_it_is_found_and_whole(
    cache: Path, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    files = files_in(checkpoint("stable_diffusion"))
    extra = {"v1-5-pruned.safetensors": b"x" * 5000, "unet/diffusion_pytorch_model.bin": b"x", "README.md": b"x"}
    with hub("someone/sd", files | extra) as (address, downloaded):
        run = pulled(address, tmp_path, "someone/sd")
    assert run.stdout.split() == [str(sum(map(len, files.values())) - len(files["model_index.json"])), "True"], (
        run.stderr
    )
    assert set(downloaded) == set(files)
    model = store.resolve(CATALOGUE, "draw", "someone/sd")
    assert store.locate(model) == str(cache / "models--someone--sd" / "snapshots" / COMMIT)


def test_pull_refuses_a_repository_without_safetensors(tmp_path: Path) -> None:
    with hub("someone/old", {"config.json": b"{}", "pytorch_model.bin": b"x"}) as (address, downloaded):
        run = pulled(address, tmp_path, "someone/old")
    assert "has no weights as safetensors" in run.stderr
    assert downloaded == []


@pytest.mark.parametrize("variables", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_pull_says_when_the_hub_may_not_or_cannot_be_reached(variables: dict[str, str], tmp_path: Path) -> None:
    run = pulled("http://127.0.0.1:9", tmp_path, "someone/model", **variables)
    assert "KuamoError: someone/model could not be downloaded: " in run.stderr


def test_a_wrong_name_is_said(tmp_path: Path) -> None:
    with hub("someone/model", {"config.json": b"{}"}) as (address, _):
        run = pulled(address, tmp_path, "someone/else")
    assert "KuamoError: someone/else could not be downloaded: " in run.stderr
    assert json.dumps(run.stdout) == '""'
