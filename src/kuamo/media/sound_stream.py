"""Sounds to a file's bytes while they are made."""

from collections.abc import Iterable, Iterator
from typing import Any

from kuamo.media.audio import Audio

PCM_RATE_HZ = 24_000
# Muxer, codec and sample rate of each format; None: the sound's own.
STREAMABLE: dict[str, tuple[str, str, int | None]] = {
    "mp3": ("mp3", "libmp3lame", None),
    "opus": ("ogg", "libopus", 48_000),
    "aac": ("adts", "aac", None),
    "flac": ("flac", "flac", None),
    "wav": ("wav", "pcm_s16le", None),
    "pcm": ("s16le", "pcm_s16le", PCM_RATE_HZ),
}
SENT_AT_ONCE = {"flush_packets": "1"}


def encode_stream(sounds: Iterable[Audio], form: str) -> Iterator[bytes]:
    """Yield a file's bytes, mono, piece by piece as the sounds (all of one sample rate) come.

    `form` is one of STREAMABLE; a wav's header does not know its length, and pcm (16 bits, little-endian, 24 kHz) has
    none.
    """
    import av

    muxer, codec, rate = STREAMABLE[form]
    sink, samples = _Sink(), 0
    stream: Any = None
    with av.open(sink, "w", format=muxer, options=SENT_AT_ONCE) as container:
        for sound in sounds:
            stream = stream or container.add_stream(codec, rate=rate or sound.sample_rate_hz, layout="mono")
            container.mux(stream.encode(_frame(sound, samples)))
            samples += len(sound.samples)
            if piece := sink.taken():
                yield piece
        if stream:
            container.mux(stream.encode(None))
    if piece := sink.taken():
        yield piece


class _Sink:
    """A file that can only be written on."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _frame(sound: Audio, start: int) -> Any:
    from fractions import Fraction

    from av import AudioFrame

    frame = AudioFrame.from_ndarray(sound.samples[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts = sound.sample_rate_hz, start
    frame.time_base = Fraction(1, sound.sample_rate_hz)
    return frame
