"""Sounds: any container that FFmpeg opens to mono float32, and back to a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kuamo.errors import KuamoError
from kuamo.media.limits import Limits, name_of, read_bytes

# Containers of media only: play lists and their kin could name other files or hosts.
CONTAINERS = "wav,w64,mp3,mov,mp4,m4a,flac,ogg,matroska,webm,aiff,au,avi,aac,amr,asf,caf,mpeg,mpegts,flv"
SEEK_LEAD_SECONDS = 0.5  # decoders of compressed sound need some before what is wanted
WRITABLE = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", None),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound: mono float32 samples, shape (n,), nominally -1 to 1, read-only."""

    samples: NDArray[np.float32] = field(repr=False)
    sample_rate_hz: int

    def __post_init__(self) -> None:
        self.samples.flags.writeable = False

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.sample_rate_hz

    def at(self, sample_rate_hz: int) -> "Audio":
        """Return the sound at another sample rate (soxr, high quality)."""
        if sample_rate_hz == self.sample_rate_hz:
            return self
        import soxr

        return Audio(soxr.resample(self.samples, self.sample_rate_hz, sample_rate_hz), sample_rate_hz)

    def between(self, start_seconds: float, end_seconds: float) -> "Audio":
        """Return the part from start to end."""
        start, end = (max(0, round(second * self.sample_rate_hz)) for second in (start_seconds, end_seconds))
        return Audio(self.samples[start:end], self.sample_rate_hz)

    def pcm16(self) -> bytes:
        """Return the samples as 16-bit little-endian PCM."""
        return (np.clip(self.samples, -1, 1) * 32_767).astype("<i2").tobytes()

    def encode(self, container: str = "wav") -> bytes:
        """Return a file's bytes; container is one of WRITABLE. Opus is resampled to 48 kHz."""
        import soundfile

        format_name, subtype = WRITABLE[container]
        sound = self.at(48_000) if container == "opus" else self
        buffer = BytesIO()
        soundfile.write(buffer, sound.samples, sound.sample_rate_hz, format=format_name, subtype=subtype)
        return buffer.getvalue()


def join_audio(parts: list[Audio]) -> Audio:
    """Return sounds of one sample rate, one after the other."""
    return Audio(np.concatenate([part.samples for part in parts]), parts[0].sample_rate_hz)


def read_audio(source: Path | bytes, limits: Limits, name: str | None = None) -> Audio:
    """Decode the sound track of a recording or a video at its own sample rate.

    Raises KuamoError file_not_found, file_empty, file_too_large, not_audio, no_sound or audio_too_long (by the
    header before decoding, and by the samples where the header says less than the truth).
    """
    name = name_of(source, name)
    data = read_bytes(source, name, limits)
    if data.startswith((b"RIFF", b"fLaC")) and (whole := _decode_whole(data, name, limits)):
        return whole
    parts = list(_decode(BytesIO(data), name, limits))
    if not parts:
        raise KuamoError("no_sound", name=name)
    return join_audio(parts)


def _decode_whole(data: bytes, name: str, limits: Limits) -> Audio | None:
    """Decode WAV or FLAC of one channel in one go, many times as fast as frame by frame; None for FFmpeg to try."""
    import soundfile

    try:
        with soundfile.SoundFile(BytesIO(data)) as file:
            # A length that cannot be is FFmpeg's to judge: a header written before the sound was made does not know it.
            if file.channels > 1 or not 0 < file.frames <= limits.seconds * file.samplerate:
                return None
            return Audio(_finite(file.read(dtype="float32")), file.samplerate)
    except soundfile.LibsndfileError:
        return None


def cut_audio(
    source: Path | bytes, start_seconds: float, end_seconds: float, limits: Limits, name: str | None = None
) -> Audio:
    """Decode one stretch of the sound track of a recording or a video of any length, at its own sample rate.

    Raises KuamoError file_not_found, not_audio, no_sound (also where the stretch lies past the end), out_of_range or
    audio_too_long (of the stretch).
    """
    import av

    name = name_of(source, name)
    _check_seconds(end_seconds - start_seconds, name, limits)
    if not 0 <= start_seconds < end_seconds:
        raise KuamoError("out_of_range", what=name, value=start_seconds, low=0, high=end_seconds)
    if isinstance(source, Path) and not source.is_file():
        raise KuamoError("file_not_found", name=name)
    file = BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        with av.open(file, "r", options={"format_whitelist": CONTAINERS}) as container:
            parts = list(_stretch(container, start_seconds, end_seconds, name))
    except (av.error.FFmpegError, ValueError) as error:
        raise KuamoError("not_audio", name=name) from error
    if not parts:
        raise KuamoError("no_sound", name=name)
    return join_audio(parts)


def _stretch(container: Any, start_seconds: float, end_seconds: float, name: str) -> Iterator[Audio]:
    """Yield the sound from start to end, decoded from the last point before it that can be decoded from."""
    from av.audio.resampler import AudioResampler

    if not container.streams.audio or not container.streams.audio[0].rate:
        raise KuamoError("no_sound", name=name)
    stream = container.streams.audio[0]
    resampler = AudioResampler(format="flt", layout="mono", rate=stream.rate)
    lead = (stream.start_time or 0) * float(stream.time_base)
    container.seek(max(0, int((start_seconds - SEEK_LEAD_SECONDS) * 1_000_000)))
    for frame in container.decode(stream):
        begin = (frame.time or 0.0) - lead
        if begin >= end_seconds:
            return
        if begin + frame.samples / stream.rate <= start_seconds:
            continue
        for mono in resampler.resample(frame):
            part = Audio(np.nan_to_num(mono.to_ndarray()[0]), stream.rate)
            part = part.between(start_seconds - begin, end_seconds - begin)
            if len(part.samples):
                yield part


def stream_audio(pieces: Iterable[bytes], limits: Limits, name: str) -> Iterator[Audio]:
    """Decode a sound track while its bytes arrive; for containers that need no seeking (wav, mp3, ogg, flac).

    Raises KuamoError not_audio, no_sound or audio_too_long, and what `pieces` raises.
    """
    yield from _decode(_Arriving(pieces), name, limits)


class _Arriving:
    """A file that cannot seek, of bytes still on their way."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def read(self, size: int) -> bytes:
        while not self._held and (piece := next(self._pieces, None)) is not None:
            self._held = piece
        piece, self._held = self._held[:size], self._held[size:]
        return piece


def _decode(file: BytesIO | _Arriving, name: str, limits: Limits) -> Iterator[Audio]:
    import av

    try:
        with av.open(file, "r", options={"format_whitelist": CONTAINERS}) as container:
            if not container.streams.audio:
                raise KuamoError("no_sound", name=name)
            if container.streams.audio[0].codec_context is None:
                raise KuamoError("not_audio", name=name)
            if isinstance(file, BytesIO):  # a header written before the sound was made does not know its length
                _check_seconds((container.duration or 0) / av.time_base, name, limits)
            rate = container.streams.audio[0].rate
            if not rate:
                raise KuamoError("no_sound", name=name)
            yield from (Audio(_finite(block), rate) for block in _blocks(container, rate, name, limits))
    except (av.error.FFmpegError, ValueError) as error:
        raise KuamoError("not_audio", name=name) from error


def _blocks(container: Any, rate: int, name: str, limits: Limits) -> Iterator[NDArray[np.float32]]:
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="flt", layout="mono", rate=rate)
    samples = 0
    for frame in chain(container.decode(audio=0), (None,)):
        for mono in [frame] if _is_plain(frame, rate) else resampler.resample(frame):
            samples += mono.samples
            _check_seconds(samples / rate, name, limits)
            yield mono.to_ndarray()[0]


def _finite(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return samples, those that are no number as 0; the very same where all are, as nearly always."""
    return samples if np.isfinite(samples).all() else np.nan_to_num(samples)


def _is_plain(frame: Any, rate: int) -> bool:
    """Whether a frame is what the resampler would give: most of the time of a compressed recording would be its."""
    return bool(
        frame and frame.format.name in ("flt", "fltp") and frame.layout.nb_channels == 1 and frame.sample_rate == rate
    )


def _check_seconds(seconds: float, name: str, limits: Limits) -> None:
    if seconds > limits.seconds:
        raise KuamoError("audio_too_long", name=name, seconds=seconds, limit=limits.seconds)
