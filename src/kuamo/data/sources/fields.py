"""Which fields of a record hold what: found by the names that data sets use, or named by the user."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from kuamo.contracts import Role
from kuamo.data.row import Turn
from kuamo.data.sources.records import Record
from kuamo.errors import KuamoError

NAMES: dict[str, tuple[str, ...]] = {
    "image": ("image", "images", "image_path", "image_paths", "image_filename", "image_file", "file_names", "img",
              "picture"),
    "audio": ("audio", "audio_path", "audio_filepath", "audio_filename", "audio_file", "wav", "sound", "speech"),
    "file": ("file_name", "filename", "file_path", "filepath", "file", "path"),
    "text": ("text", "caption", "captions", "sentence", "transcript", "transcription", "description", "raw"),
    "question": ("question", "query", "prompt", "instruction"),
    "answer": ("answer", "response", "output", "completion"),
    "messages": ("messages", "conversations", "conversation"),
    "language": ("language", "lang", "locale"),
    "group": ("group", "speaker", "speaker_id", "client_id", "patient", "patient_id"),
    "id": ("id", "sample_id", "uid", "uuid"),
}  # fmt: skip
"""What a field can be, and its usual names; `file` is a picture or a sound, as its ending says."""

ALL = tuple(NAMES.items())
MISSING: tuple[str, Any] = ("", None)

Found = dict[str, tuple[str, Any]]
"""The field of each role, and its value."""

QUESTIONS = "questions"  # a list of records of their own: question, answer, language
IN_LANGUAGE = re.compile(r"(?:text|caption|sentence|transcript)[_-]([a-z]{2,3}(?:-[A-Za-z]+)?)")
STRETCH = ("offset", "duration")  # of a NeMo manifest: where in a recording, in seconds
LONGEST_SECONDS = 1e6
SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".webm", ".mp4", ".mkv", ".mov", ".avi")

SPEAKERS: dict[str, Role] = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "model": "assistant",
    "chatgpt": "assistant", "bot": "assistant", "system": "system",
}  # fmt: skip
"""Who speaks in a conversation, by the names that data sets use."""


@dataclass(frozen=True)
class Fields:
    """The names of fields by what they are; what is not `named` goes by NAMES."""

    named: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: str | None) -> "Fields":
        """Return what "image=photo,text=title" names. Raises KuamoError not_fields."""
        pairs = [part.strip().partition("=") for part in given.split(",")] if given else []
        if not all(role in NAMES and name for role, _, name in pairs):
            raise KuamoError("not_fields", given=given, possible=", ".join(NAMES))
        return cls({role: name for role, _, name in pairs})

    def find(self, record: Record) -> Found:
        """Return the field of each role and its value; ("", None) where there is none.

        Raises KuamoError field_absent where the user named one that the record lacks.
        """
        found = {
            role: next(((x, record[x]) for x in names if record.get(x) is not None), MISSING) for role, names in ALL
        }
        for role, name in self.named.items():
            if record.get(name) is None:
                raise KuamoError("field_absent", field=name)
            found[role] = name, record[name]
        return found


@dataclass(frozen=True)
class Said:
    """What one row of a record says; `extra` belongs to it alone."""

    text: str | None = None
    question: str | None = None
    answer: str | None = None
    messages: tuple[Turn, ...] = ()
    language: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def all_said(record: Record, found: Found) -> list[Said]:
    """Return what a record says: one Said for each caption it has, and one for each of its `questions`.

    Raises KuamoError field_unfit.
    """
    language = text_of("language", found)
    texts = list(_texts(record, found))
    asked = [_asked(one, language) for one in _listed(record.get(QUESTIONS))]
    question, answer = text_of("question", found), text_of("answer", found)
    messages = _turns(found["messages"][1])
    if len(texts) > 1 or asked:
        return [Said(text=text, language=own or language) for text, own in texts] + asked
    text, own = texts[0] if texts else (None, None)
    return [Said(text, question, answer, messages, own or language)]


def _texts(record: Record, found: Found) -> Iterator[tuple[str | None, str | None]]:
    name, value = found["text"]
    if name:
        match = IN_LANGUAGE.fullmatch(name)
        for one in _listed(value):
            yield as_text(name, one), match and match[1]
        return
    for name, value in record.items():
        if (match := IN_LANGUAGE.fullmatch(name)) and isinstance(value, str):
            yield value, match[1]


def _asked(one: Any, language: str | None) -> Said:
    if not isinstance(one, dict):
        raise KuamoError("field_unfit", field=QUESTIONS)
    own = as_text("language", one.get("language")) or language
    question, answer = as_text("question", one.get("question")), as_text("answer", one.get("answer"))
    extra = {name: value for name, value in one.items() if name not in ("question", "answer", "language")}
    return Said(question=question, answer=answer, language=own, extra=extra)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def text_of(role: str, found: Found) -> str | None:
    """Return what the field of a role says, as `as_text` does."""
    return as_text(*found[role])


def as_text(name: str, value: Any) -> str | None:
    """Return a text or a number as text. Raises KuamoError field_unfit for anything else but None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise KuamoError("field_unfit", field=name)


# --- conversations


def _turns(value: Any) -> tuple[Turn, ...]:
    return tuple(_turn(one) for one in _listed(value))


def _turn(one: Any) -> Turn:
    """Return a turn as ShareGPT and LLaVA (from, value) or OpenAI (role, content) have it."""
    if not isinstance(one, dict):
        raise KuamoError("field_unfit", field="messages")
    role = SPEAKERS.get(str(one.get("from") or one.get("role")))
    content = one.get("value") if "value" in one else one.get("content")
    parts = [_part(part) for part in content] if isinstance(content, list) else [as_text("messages", content)]
    if role is None or None in parts:
        raise KuamoError("field_unfit", field="messages")
    return Turn(role, "\n".join(filter(None, parts)))


def _part(part: Any) -> str | None:
    if not isinstance(part, dict):
        return part if isinstance(part, str) else None
    return "<image>" if "image" in str(part.get("type")) else as_text("messages", part.get("text"))


def images_in(value: Any) -> list[Any]:
    """Return the pictures that the parts of a conversation's messages name, in order."""
    contents = [one.get("content") for one in _listed(value) if isinstance(one, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content if isinstance(part, dict)]
    named = [part.get("image") or part.get("image_url") or part.get("path") for part in parts]
    return [one.get("url") if isinstance(one, dict) else one for one in named if one]


def is_sound(name: str) -> bool:
    """Whether a file is a sound (or a video) by how its name ends."""
    return PurePosixPath(name).suffix.lower() in SOUNDS
