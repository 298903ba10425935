"""Words with times, in the format that the user asks for: shared by `transcribe` and `align`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuamo.cli.session import Session

if TYPE_CHECKING:
    from kuamo.contracts import Segment


def deliver(
    session: Session, segments: "tuple[Segment, ...]", form: str, out: Path | None, parts: dict[str, Any]
) -> None:
    """Print timed text in a format, or write it to a file; `parts` are what --json shows."""
    from kuamo.capabilities.timing import FORMATS
    from kuamo.media.files import write

    text = FORMATS[form](segments)
    if out is not None:
        write(out, text.encode())
        session.note(session.say("cli.wrote", name=out))
    if out is None or session.as_json:
        session.show(text.rstrip("\n"), **parts)
