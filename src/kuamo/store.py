"""Where models lie on this machine, and the one command that downloads: everything else works offline."""

import glob
import json
import re
from collections.abc import Collection, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from kuamo.catalogue import Catalogue, Model, describe
from kuamo.contracts import Capability
from kuamo.errors import KuamoError

# Weights as safetensors only: pickled ones can run code.
WANTED = (".json", ".safetensors", ".txt", ".model", ".jinja", ".tiktoken")
# A second copy of the same weights: in another precision, or in its makers' own format.
COPY = re.compile(r"\.(fp16|bf16|fp32|non_ema)[.-]|^consolidated|^open_clip|_quantized|^adapter_")
SHARD = re.compile(r"-\d+-of-\d+\.safetensors$")


def is_url(source: str) -> bool:
    """Whether a source is a server: http(s)://host/path#model."""
    return source.startswith(("http://", "https://"))


def resolve(catalogue: Catalogue, capability: Capability, source: str) -> Model:
    """Return the row for what an operator named: a catalogue's name or source, URL#model, a folder or a hub id.

    Raises KuamoError unknown_model, file_not_found, model_not_downloaded or model_unsupported.
    """
    for model in catalogue.serving(capability):
        if source in (model.name, model.source):
            return model
    if is_url(source):
        return catalogue.unlisted(source, {"model_type": "url"}, capability)
    folder = Path(source).expanduser()
    if folder.is_dir():
        return catalogue.unlisted(str(folder.resolve()), describe(folder), capability)
    if source.startswith((".", "/", "~")):
        raise KuamoError("file_not_found", name=source)
    if source.count("/") != 1:
        raise KuamoError("unknown_model", name=source, capability=capability)
    return catalogue.unlisted(source, describe(_snapshot(source, "main")), capability)


def locate(model: Model) -> str:
    """Return what the model's engine loads: a folder, a URL or a package's name.

    Raises KuamoError model_not_downloaded.
    """
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

    HF_HOME, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are honoured. Raises KuamoError download_failed or
    no_safe_weights.
    """
    return Path(_download(source, revision, dry_run=False))


def bytes_to_pull(source: str, revision: str = "main") -> int:
    """Return how many bytes `pull` would download: those not in the cache yet. Raises what `pull` raises."""
    return sum(file.file_size or 0 for file in _download(source, revision, dry_run=True) if file.will_download)


def _download(source: str, revision: str, *, dry_run: bool) -> Any:
    import httpx2
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        repository = HfApi().model_info(source, revision=revision)
        files = [file.rfilename for file in repository.siblings or ()]
        diffusers = "model_index.json" in files
        index = Path(hf_hub_download(source, "model_index.json", revision=repository.sha)) if diffusers else Path()
        names = wanted(files, components(index.parent))
        if not any(name.endswith(".safetensors") for name in names):
            raise KuamoError("no_safe_weights", name=source)
        patterns = [glob.escape(name) for name in names]
        return snapshot_download(source, revision=revision, allow_patterns=patterns, dry_run=dry_run)
    except (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, httpx2.HTTPError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise KuamoError("download_failed", name=source, reason=reason) from error


def wanted(files: Iterable[str], parts: Collection[str] = ()) -> list[str]:
    """Return the files of a hub repository that its engine reads: the weights as safetensors, once, and settings.

    `parts` are the component folders of a Diffusers repository, whose weights lie in them and not beside them; other
    repositories keep everything at the top.
    """
    return [name for name in files if _is_wanted(*name.rpartition("/")[::2], parts=parts)]


def _is_wanted(folder: str, name: str, parts: Collection[str]) -> bool:
    if folder not in ("", "additional_chat_templates", *parts) or not name.endswith(WANTED) or COPY.search(name):
        return False
    return not (parts and not folder and name.endswith(".safetensors"))


def components(folder: Path) -> tuple[str, ...]:
    """Return the component folders that a Diffusers folder's model_index.json names; none for any other folder."""
    file = folder / "model_index.json"
    index = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return tuple(name for name, kind in index.items() if isinstance(kind, list) and kind[0] is not None)


def _snapshot(source: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, IncompleteSnapshotError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(source, revision=revision, local_files_only=True))
    except IncompleteSnapshotError as error:  # it lacks files of the repository: `wanted` leaves some out
        folder = Path(error.snapshot_path)
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise KuamoError("model_not_downloaded", name=source) from error
    if not is_whole(folder):
        raise KuamoError("model_not_downloaded", name=source)
    return folder


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint folder has its settings and all its weights: a download cut short has not."""
    parts = components(folder)
    return all(_is_whole_part(folder / part) for part in parts) if parts else _is_whole_model(folder)


def _is_whole_part(folder: Path) -> bool:
    """Tokenizers and schedulers have settings alone (tokenizer_config.json …), models config.json and weights."""
    return any(folder.glob("*_config.json")) or _is_whole_model(folder)


def _is_whole_model(folder: Path) -> bool:
    weights = {file.name for file in folder.glob("*.safetensors") if file.is_file()}
    indexed: set[str] = set()
    for index in folder.glob("*.safetensors.index.json"):
        indexed |= set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    shards = {name for name in weights if SHARD.search(name)}
    return (folder / "config.json").is_file() and bool(weights) and indexed <= weights and shards <= indexed
