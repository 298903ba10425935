"""Videos: frames spread over the whole, and when each is shown."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from kuamo.errors import KuamoError
from kuamo.media.audio import CONTAINERS
from kuamo.media.image import Image, from_pil
from kuamo.media.limits import Limits, name_of, read_bytes


@dataclass(frozen=True)
class Video:
    """Frames of a video and the second at which each is shown; the sound is read by read_audio."""

    frames: tuple[Image, ...]
    seconds: tuple[float, ...]


def read_video(source: Path | bytes, limits: Limits, frames: int = 8, name: str | None = None) -> Video:
    """Decode `frames` frames at even distances (fewer where the video has fewer).

    Raises KuamoError file_not_found, file_empty, file_too_large, not_a_video, image_too_large or audio_too_long.
    """
    import av

    name = name_of(source, name)
    data = read_bytes(source, name, limits)
    try:
        with av.open(BytesIO(data), "r", options={"format_whitelist": CONTAINERS}) as container:
            if not container.streams.video:
                raise KuamoError("not_a_video", name=name)
            stream = container.streams.video[0]
            if stream.width * stream.height > limits.megapixels * 1e6:
                raise KuamoError(
                    "image_too_large", name=name, size=f"{stream.width}×{stream.height} px", limit=limits.megapixels
                )
            duration = (container.duration or 0) / av.time_base
            if duration > limits.seconds:
                raise KuamoError("audio_too_long", name=name, seconds=duration, limit=limits.seconds)
            wanted = [duration * (index + 0.5) / frames for index in range(frames)]
            shown: dict[float, Image] = {}
            for frame in container.decode(video=0):
                if wanted and (frame.time or 0) >= wanted[0]:
                    shown[frame.time or 0.0] = from_pil(frame.to_image())
                    wanted = [second for second in wanted if second > (frame.time or 0)]
    except av.error.FFmpegError as error:
        raise KuamoError("not_a_video", name=name) from error
    return Video(tuple(shown.values()), tuple(shown))
