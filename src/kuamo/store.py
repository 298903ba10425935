"""Where models lie on this machine, and the one command that downloads: everything else works offline."""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from kuamo.catalogue import Catalogue, Model, describe
from kuamo.contracts import Capability
from kuamo.errors import KuamoError

# Weights as safetensors only: pickled ones can run code.
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.tiktoken")
# Second copies of the same weights in other precisions.
UNWANTED = ("*.fp16.*", "*.non_ema.*", "*-pruned*.safetensors", "onnx/*", "*/openvino*")


def is_url(source: str) -> bool:
    """Whether a source is a server: http(s)://host/path#model."""
    return source.startswith(("http://", "https://"))


def resolve(catalogue: Catalogue, capability: Capability, source: str) -> Model:
    """Return the row for what an operator named: a catalogue's name or source, URL#model, a folder or a hub id.

    Raises KuamoError unknown_model, model_not_downloaded or model_unsupported.
    """
    for model in catalogue.serving(capability):
        if source in (model.name, model.source):
            return model
    if is_url(source):
        return catalogue.unlisted(source, {"model_type": "url"}, capability)
    folder = Path(source).expanduser()
    if folder.is_dir():
        return catalogue.unlisted(str(folder.resolve()), describe(folder), capability)
    if source.count("/") != 1:
        raise KuamoError("unknown_model", name=source, capability=capability)
    return catalogue.unlisted(source, describe(_snapshot(source, "main")), capability)


def locate(model: Model) -> str:
    """Return what the model's engine loads: a folder, a URL or a package's name. Raises KuamoError model_not_downloaded."""
    kind, _, name = model.source.partition(":")
    if kind == "package":
        return name
    if kind == "weights":
        return str(resources.files("kuamo").joinpath("weights", name))
    if is_url(model.source) or Path(model.source).is_dir():
        return model.source
    return str(_snapshot(model.source, model.revision))


def is_here(model: Model) -> bool:
    """Whether a model can be loaded without a download."""
    try:
        locate(model)
    except KuamoError:
        return False
    return True


def is_from_hub(model: Model) -> bool:
    """Whether a model lies on a hub, not in a package, a folder or on a server."""
    return not (":" in model.source or Path(model.source).is_dir())


def pull(source: str, revision: str = "main") -> Path:
    """Download a hub repository's safetensors and settings into the Hugging Face cache; return its folder.

    HF_HOME, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are honoured. Raises KuamoError download_failed.
    """
    return Path(_download(source, revision, dry_run=False))


def bytes_to_pull(source: str, revision: str = "main") -> int:
    """Return how many bytes `pull` would download: those not in the cache yet. Raises KuamoError download_failed."""
    return sum(file.file_size or 0 for file in _download(source, revision, dry_run=True) if file.will_download)


def _download(source: str, revision: str, *, dry_run: bool) -> Any:
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    wanted, unwanted = list(WANTED), list(UNWANTED)
    try:
        return snapshot_download(
            source, revision=revision, allow_patterns=wanted, ignore_patterns=unwanted, dry_run=dry_run
        )
    except (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, httpx.HTTPError, OSError) as error:
        raise KuamoError("download_failed", name=source, reason=str(error).strip().splitlines()[0]) from error


def _snapshot(source: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(source, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise KuamoError("model_not_downloaded", name=source) from error
    if not is_whole(folder):
        raise KuamoError("model_not_downloaded", name=source)
    return folder


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint folder has all its weights: a download cut short has not."""
    shards: set[Path] = set()
    for index in folder.rglob("*.safetensors.index.json"):
        weights: Sequence[str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        shards |= {index.parent / name for name in weights}
    return any(folder.rglob("*.safetensors")) and all(shard.is_file() for shard in shards)
