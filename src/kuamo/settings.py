"""The one reader of kuamo.toml, the KUAMO_ variables and the flags."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from kuamo.contracts import Capability, Precision
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.messages import Language, language_of

Profile = Literal["nano", "small", "standard", "large", "remote"]


class Settings(BaseSettings):
    """Everything that can be set. Flags win over KUAMO_ variables, these over kuamo.toml, that over the defaults."""

    model_config = SettingsConfigDict(
        env_prefix="KUAMO_", env_nested_delimiter="__", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    profile: Profile = "nano"
    """The models to use where no other is named."""
    models: dict[Capability, str] = {}
    """A model for a capability: a name of the catalogue, a local folder, a hub id, or URL#model."""
    model: tuple[dict[str, Any], ...] = ()
    """Rows added to the catalogue."""
    language: Literal["auto", "en", "zh"] = "auto"
    """The language Kuamo speaks to you; auto: that of LC_ALL, LC_MESSAGES or LANG."""
    device: str = "auto"
    """A torch device; auto: CUDA, then MPS, then the CPU."""
    precision: Precision = "auto"
    """How weights are kept; auto: what the device runs best."""
    memory_gb: float | None = None
    """What loaded models may take together; None: three quarters of the memory."""
    idle_seconds: float = 900
    """A model unused for so long is dropped from memory."""
    host: str = "127.0.0.1"
    """The address that the server listens on."""
    port: int = 7860
    """The port that the server listens on."""
    folder: Path = Field(default_factory=lambda: user_data_path("kuamo"))
    """Where uploads are kept, and the pictures drawn on the page."""
    upload_seconds: float = 3600
    """An upload is deleted after so long."""
    search_folder: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """The folder of pictures, indexed by `kuamo index`, that visitors of the page may search; None: no search there."""
    remote_key: str = ""
    """The API key sent to remote servers."""
    translator: str = ""
    """The chat model (its catalogue name) that translates prompts a drawing model cannot read; empty: refused."""
    safety_checker: bool = True
    """Whether pictures that a drawing model's own safety checker marks are withheld; off is logged."""
    limits: Limits = Limits()
    """What one input may have at most: megabytes, megapixels, seconds, characters."""

    @classmethod
    def read(cls, **flags: Any) -> Self:
        """Return the settings with `flags` on top (None: not given).

        Raises KuamoError bad_settings with every fault, or file_not_found where KUAMO_CONFIG names no file.
        """
        named = os.environ.get("KUAMO_CONFIG")
        if named and not Path(named).is_file():
            raise KuamoError("file_not_found", name=named)
        try:
            return cls(**{name: value for name, value in flags.items() if value is not None})
        except ValidationError as error:
            raise KuamoError("bad_settings", faults=faults_in(error)) from error
        except ValueError as error:  # kuamo.toml is not TOML
            raise KuamoError("bad_settings", faults=str(error)) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: flags, variables, kuamo.toml of the working folder or KUAMO_CONFIG."""
        file = os.environ.get("KUAMO_CONFIG") or "kuamo.toml"
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(file))


def faults_in(error: ValidationError) -> str:
    """Return every fault that pydantic found, in one line: where and what, separated by semicolons."""
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())


def interface_language(chosen: str | None = None) -> Language:
    """Return the language to speak to the user: `chosen`, else KUAMO_LANGUAGE, LC_ALL, LC_MESSAGES, LANG; else English.

    The first that is set and not "auto" decides; needs no valid settings, so that their faults can be told.
    """
    variables = map(os.environ.get, ("KUAMO_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return language_of(next((tag for tag in (chosen, *variables) if tag and tag != "auto"), None))


def hub_variables() -> dict[str, str]:
    """Return the Hugging Face variables in force (HF_*), the values of tokens hidden."""
    found = {name: value for name, value in sorted(os.environ.items()) if name.startswith("HF_")}
    return {name: "***" if "TOKEN" in name and "PATH" not in name else value for name, value in found.items()}
