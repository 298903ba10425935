"""One example of a data set: its pictures, its sound, its texts, and where it came from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from kuamo.contracts import Role
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, cut_audio, read_audio
from kuamo.media.image import Image, read_image
from kuamo.media.limits import Limits, read_bytes
from kuamo.messages import Language, say

DECODED = 8  # media that stay decoded, so that many checks of one row decode them once


@dataclass(frozen=True)
class Place:
    """Where something stands in a source: a file, by its path there, and the line or item of it, counted from 1."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Fault:
    """Why a row was dropped: `code` and `values` as those of a KuamoError (messages.toml has its sentence)."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: KuamoError) -> "Fault":
        """Return an error that reading a row's media raised as that row's fault."""
        return cls(error.code, error.values)

    def message(self, language: Language) -> str:
        """Return what is wrong, in one sentence."""
        return say(f"error.{self.code}", language, **self.values)


@dataclass(frozen=True)
class Dropped:
    """A row (or a file of rows) that is left out, where it stood, and why; `id` where it had one."""

    where: Place
    fault: Fault
    id: str | None = None


@dataclass(frozen=True)
class Media:
    """A picture or a sound that is read only when asked for.

    It is a file, `size` bytes of one from `offset` (a tar's member), or `data`; of a sound or video, where
    `end_seconds` is set, the stretch from `start_seconds`. `name` is what the source calls it; it opens nothing.
    """

    name: str
    file: Path | None = None
    offset: int = 0
    size: int | None = None
    data: bytes | None = field(default=None, repr=False)
    start_seconds: float = 0.0
    end_seconds: float | None = None
    limits: Limits = field(default_factory=Limits)

    def read(self) -> bytes:
        """Return the file's bytes as they are; of a stretch of sound, a WAV file (16-bit) of it.

        Raises KuamoError as `read_bytes` and, of a stretch, `cut_audio` do.
        """
        if self.end_seconds is not None:
            return self.audio().encode("wav")
        if self.data is not None or self.file is None:
            return read_bytes(self.data or b"", self.name, self.limits)
        if self.size is None:
            return read_bytes(self.file, self.name, self.limits)
        read_bytes(b" " * min(self.size, 1), self.name, self.limits)  # an empty member is told as an empty file
        if self.size > self.limits.megabytes * 1e6:
            raise KuamoError("file_too_large", name=self.name, megabytes=self.size / 1e6, limit=self.limits.megabytes)
        with self.file.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)

    def image(self) -> Image:
        """Return the decoded picture. Raises KuamoError as `read_image` does."""
        return _image(self)

    def audio(self) -> Audio:
        """Return the decoded sound at its own sample rate. Raises KuamoError as `read_audio` or `cut_audio` does."""
        return _audio(self)

    @property
    def ending(self) -> str:
        """How the name ends, in lower case with its dot (".jpg"); ".wav" for a stretch of sound."""
        return ".wav" if self.end_seconds is not None else PurePosixPath(self.name).suffix.lower()

    def stamp(self) -> tuple[Any, ...]:
        """Return what tells that the content changed, without reading a file: its size and time, or a hash of data."""
        part = (self.name, self.offset, self.size, self.start_seconds, self.end_seconds)
        if self.data is not None:
            return *part, hashlib.sha256(self.data).hexdigest()
        try:
            status = self.file.stat() if self.file else None
        except OSError:  # missing: reading it will say so
            return part
        return (*part, status.st_size, status.st_mtime_ns) if status else part


@lru_cache(maxsize=DECODED)
def _image(media: Media) -> Image:
    return read_image(media.read(), media.limits, media.name)


@lru_cache(maxsize=DECODED)
def _audio(media: Media) -> Audio:
    if media.end_seconds is None:
        return read_audio(media.read(), media.limits, media.name)
    source = media.file if media.data is None and media.file else media.data or b""
    return cut_audio(source, media.start_seconds, media.end_seconds, media.limits, media.name)


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation; where `<image>` stands, a picture of the row does."""

    role: Role
    text: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One example: media, texts by role, and what else its source said.

    `group` names what must not be in two splits (a speaker, a patient); `language` is a BCP 47 tag; `extra` are the
    source's other fields, `facts` what was measured (see `kuamo.data.measure`), both of JSON's types.
    """

    id: str
    where: Place
    images: tuple[Media, ...] = ()
    audio: Media | None = None
    text: str | None = None
    question: str | None = None
    answer: str | None = None
    messages: tuple[Turn, ...] = ()
    language: str | None = None
    group: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def media(self) -> tuple[Media, ...]:
        """The pictures, then the sound."""
        return (*self.images, *((self.audio,) if self.audio else ()))

    @property
    def texts(self) -> dict[str, str]:
        """The texts that a person wrote, by role: text, question, answer, and the turns of messages by their number."""
        named = {"text": self.text, "question": self.question, "answer": self.answer}
        turns = {f"{turn.role} {number}": turn.text for number, turn in enumerate(self.messages, 1)}
        return {role: text for role, text in named.items() if text is not None} | turns
