"""The table of models: which engine runs which, what each costs, and which profile uses it."""

import json
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from kuamo.contracts import Capability, Precision
from kuamo.errors import KuamoError
from kuamo.settings import Profile, faults_in

BYTES_PER_PARAMETER = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "int8": 1.1, "nf4": 0.7}
LARGE = 1_000_000_000  # from here on, half precision is the automatic choice on every device
OVERHEAD = 1.2  # activations, caches and buffers beside the weights


class Model(BaseModel):
    """A row. `source`: a hub id, URL#model, a folder, `package:NAME` (in a Python package) or `weights:NAME` (ours)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    capabilities: tuple[Capability, ...]
    engine: str
    source: str
    revision: str = "main"
    licence: str = "unknown"
    languages: tuple[str, ...] = ("*",)
    parameters: int = 0
    memory_mb: int = 0
    profiles: tuple[Profile, ...] = ()
    options: dict[str, Any] = {}

    def memory_gb(self, precision: Precision) -> float:
        """Return the memory it takes, in GB: stated by the row, or estimated from its parameters and overhead."""
        automatic = "fp32" if self.parameters < LARGE else "bf16"
        stored = BYTES_PER_PARAMETER[automatic if precision == "auto" else precision]
        return self.memory_mb / 1000 or self.parameters * stored * OVERHEAD / 1e9

    @property
    def is_multilingual(self) -> bool:
        """Whether it serves more than one language."""
        return "*" in self.languages or len(self.languages) > 1

    def speaks(self, language: str | None) -> bool:
        """Whether it serves a language (any region of it); unknown languages are left to the model."""
        return language is None or "*" in self.languages or language.split("-")[0] in self.languages


class AnyCheckpoint(BaseModel):
    """An engine that runs checkpoints outside the table, by the `model_type` of their config.json.

    `languages` are those that such a checkpoint reads unless a row of kuamo.toml says more of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    capabilities: tuple[Capability, ...]
    engine: str
    model_types: tuple[str, ...]
    languages: tuple[str, ...] = ("*",)


class Catalogue:
    """The rows of catalogue.toml and those of kuamo.toml, which come first and replace rows of their name."""

    def __init__(self, models: Iterable[Model], checkpoints: Iterable[AnyCheckpoint]) -> None:
        self.models = tuple({model.name: model for model in models}.values())
        self.checkpoints = tuple(checkpoints)

    @classmethod
    def load(cls, added: Iterable[dict[str, Any]] = ()) -> Self:
        """Return the built-in table with rows added. Raises KuamoError bad_settings for a row that is not right."""
        built_in, checkpoints = _built_in()
        try:
            own = [Model(**row) for row in added]
        except ValidationError as error:
            raise KuamoError("bad_settings", faults=f"[[model]]: {faults_in(error)}") from error
        names = {model.name for model in own}
        return cls([*own, *(model for model in built_in if model.name not in names)], checkpoints)

    def serving(self, capability: Capability, profile: Profile | None = None) -> tuple[Model, ...]:
        """Return the rows for a capability, of one profile or of all."""
        return tuple(
            model
            for model in self.models
            if capability in model.capabilities and (profile is None or profile in model.profiles)
        )

    def named(self, name: str, capability: Capability) -> Model:
        """Return the row of that name or source. Raises KuamoError unknown_model."""
        for model in self.serving(capability):
            if name in (model.name, model.source):
                return model
        raise KuamoError("unknown_model", name=name, capability=capability)

    def unlisted(self, source: str, config: dict[str, Any], capability: Capability) -> Model:
        """Return a row for a checkpoint or URL#model outside the table. Raises KuamoError model_unsupported."""
        kind = config.get("model_type", "")
        for row in self.checkpoints:
            if capability in row.capabilities and (kind in row.model_types or "*" in row.model_types):
                return Model(
                    name=source, capabilities=row.capabilities, engine=row.engine, source=source,
                    languages=row.languages,
                )  # fmt: skip
        raise KuamoError("model_unsupported", name=source, capability=capability, reason=f"model_type '{kind}'")


@cache
def _built_in() -> tuple[tuple[Model, ...], tuple[AnyCheckpoint, ...]]:
    table = tomllib.loads(resources.files("kuamo").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    return tuple(Model(**row) for row in table["model"]), tuple(AnyCheckpoint(**row) for row in table["checkpoint"])


def describe(folder: Path) -> dict[str, Any]:
    """Return a checkpoint folder's config.json; for a Diffusers folder model_type "diffusers"; empty if neither."""
    if (folder / "model_index.json").is_file():
        return {"model_type": "diffusers"}
    file = folder / "config.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
