"""Trees of recordings with transcripts beside them: LibriSpeech (*.trans.txt) and AISHELL (*transcript*.txt)."""

from collections.abc import Iterator
from pathlib import Path

from kuamo.contracts import join_text
from kuamo.data.row import Dropped, Fault, Place, Row
from kuamo.data.sources.fields import SOUNDS, Fields
from kuamo.data.sources.folder import Folder
from kuamo.data.sources.rows import Origin, rows_of


def fits(folder: Folder) -> bool:
    """Whether there is a transcript of that name."""
    return next(_transcripts(folder), None) is not None


def _transcripts(folder: Folder) -> Iterator[Path]:
    return (x for x in folder.files(".txt") if x.name.endswith(".trans.txt") or "transcript" in x.name)


def rows(folder: Folder, fields: Fields) -> Iterator[Row | Dropped]:
    """Yield a row for each line `ID TEXT` of the transcripts: the recording ID.flac (or .wav …), text and speaker.

    The speaker is the ID up to its first hyphen, else the recording's folder.
    """
    elsewhere: dict[str, Path] = {}
    for file in _transcripts(folder):
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                where = Place(folder.name(file), number)
                name, said = _parse(line)
                if name is None:
                    yield Dropped(where, Fault("line_not_text" if said is None else "line_damaged"))
                    continue
                sound = _beside(file, name)
                if sound is None:
                    elsewhere = elsewhere or {x.stem: x for x in folder.files(*SOUNDS)}
                    sound = elsewhere.get(name, file.with_name(f"{name}.flac"))
                speaker = name.partition("-")[0] if "-" in name else sound.parent.name
                record = {"id": name, "audio": folder.name(sound), "text": said, "speaker": speaker}
                yield from rows_of(record, Origin(where, folder.root, folder), fields)


def _parse(line: bytes) -> tuple[str | None, str | None]:
    try:
        name, _, said = line.decode("utf-8-sig").strip().partition(" ")
    except UnicodeDecodeError:
        return None, None
    return (name, join_text(tuple(said.split()))) if said else (None, name)


def _beside(transcript: Path, name: str) -> Path | None:
    possible = (transcript.with_name(name + ending) for ending in SOUNDS) if "/" not in name else ()
    return next((sound for sound in possible if sound.is_file()), None)
