"""The names that clients of OpenAI's protocol know models and voices by, and what they mean here."""

import re
from typing import get_args

from kuamo.contracts import Capability, SpeakRequest
from kuamo.runtime import Models
from kuamo.store import is_url

WORDS = frozenset(get_args(Capability))
"""A capability's word in place of a model's name means the server's choice for it."""

LANGUAGE_MODELS = r"(gpt|chatgpt|o\d)(-.*)?"

OPENAI_MODELS: dict[Capability, re.Pattern[str]] = {
    "answer": re.compile(LANGUAGE_MODELS),
    "chat": re.compile(LANGUAGE_MODELS),
    "draw": re.compile(r"dall-e-\d|(gpt|chatgpt)-image-.*"),
    "transcribe": re.compile(r"whisper-1|gpt-(.*-)?transcribe(-.*)?"),
    "speak": re.compile(r"tts-1.*|gpt-(.*-)?tts(-.*)?"),
    "embed": re.compile(r"text-embedding-.*"),
}
"""OpenAI's own names: the server's choice as well, except where a model in force has that very name."""

OPENAI_VOICES = frozenset(
    ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse")
)


def model_of(name: str, capability: Capability, models: Models) -> str | None:
    """Return the catalogue's name for what a client calls a model; None for the server's choice."""
    if not name or name in WORDS:
        return None
    theirs = OPENAI_MODELS.get(capability)
    if theirs and theirs.fullmatch(name) and name not in in_force(models):
        return None
    return name


def in_force(models: Models) -> frozenset[str]:
    """Return the names of the models of the profile and of those that the operator added to the catalogue."""
    profile, added = models.settings.profile, {row.get("name") for row in models.settings.model}
    return frozenset(row.name for row in models.catalogue.models if profile in row.profiles or row.name in added)


def voice_of(name: str | None, model: str | None, models: Models) -> str | None:
    """Return the voice that a client means: OpenAI's are its servers', and elsewhere the model's own usual one."""
    if name not in OPENAI_VOICES:
        return name or None
    row = models.choose("speak", SpeakRequest(text="", model=model))
    return name if is_url(row.source) else None
