"""Whether a row's texts can be learnt from."""

from kuamo.data.row import Fault, Row

IMAGE_MARK = "<image>"


def text_there(row: Row) -> Fault | None:
    """Drop a row without a text, or with a question that has no answer (and the other way round)."""
    if (row.question or "").strip() and (row.answer or "").strip():
        return None
    half = row.question is not None or row.answer is not None
    if half and not row.text and not row.messages:
        return Fault("half_a_question")
    return None if any(text.strip() for text in row.texts.values()) else Fault("no_text")


def text_length(row: Row, *, least: int = 5, most: int = 20_000) -> Fault | None:
    """Drop a row whose caption has fewer than `least` characters, or any text of which has more than `most`.

    What is spoken in a recording may be one word, and so may an answer.
    """
    if row.text is not None and row.images and len(row.text.strip()) < least:
        return Fault("text_too_short", {"characters": len(row.text.strip()), "least": least})
    longest = max(map(len, row.texts.values()), default=0)
    return Fault("text_too_long", {"characters": longest, "limit": most}) if longest > most else None


def image_marks(row: Row) -> Fault | None:
    """Drop a conversation that marks other than as many pictures as the row has; without marks, they come first."""
    marks = sum(turn.text.count(IMAGE_MARK) for turn in row.messages)
    return (
        Fault("image_marks", {"marks": marks, "images": len(row.images)}) if marks not in (0, len(row.images)) else None
    )
