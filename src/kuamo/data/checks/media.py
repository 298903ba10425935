"""Whether a row has its media, and they can be decoded."""

from kuamo.data.row import Fault, Row


def media_there(row: Row) -> Fault | None:
    """Drop a row of text alone."""
    return None if row.media else Fault("no_media")


def media_decode(row: Row) -> Fault | None:
    """Drop a row whose pictures or sound are missing, empty, cut off or of no known format, or over the limits.

    Raises KuamoError with what is wrong.
    """
    for image in row.images:
        image.image()
    if row.audio:
        row.audio.audio()
    return None
