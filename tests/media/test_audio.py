"""Every container becomes mono float32; bad ones are refused with their reason."""

import io
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuamo.errors import KuamoError
from kuamo.media.audio import WRITABLE, Audio, join_audio, read_audio
from kuamo.media.limits import Limits

LIMITS = Limits()


def tone(seconds: float = 0.5, rate: int = 16_000, hertz: float = 440) -> Audio:
    time = np.arange(int(seconds * rate)) / rate
    return Audio((0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32), rate)


def pitch(audio: Audio) -> float:
    spectrum = np.abs(np.fft.rfft(audio.samples))
    return float(spectrum.argmax() * audio.sample_rate_hz / len(audio.samples))


def encode(audio: Audio, container: str, codec: str, sample_format: str, layout: str = "stereo") -> bytes:
    """Encode by FFmpeg with the same sound on each channel."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=audio.sample_rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(audio.samples[None, :].copy(), format="flt", layout="mono")
        frame.sample_rate = audio.sample_rate_hz
        resampler = av.AudioResampler(format=sample_format, layout=layout, rate=audio.sample_rate_hz, frame_size=1024)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def fault(call: Callable[[], object]) -> str:
    with pytest.raises(KuamoError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize("container", sorted(WRITABLE))
def test_what_is_written_is_read_back(container: str) -> None:
    audio = read_audio(tone().encode(container), LIMITS)
    assert audio.seconds == pytest.approx(0.5, abs=0.08)
    assert pitch(audio) == pytest.approx(440, abs=8)
    assert 0.4 < np.abs(audio.samples).max() < 0.6


@pytest.mark.parametrize(
    ("container", "codec", "sample_format", "rate"),
    [
        ("wav", "pcm_s24le", "s32", 48_000),
        ("wav", "pcm_f32le", "flt", 44_100),
        ("wav", "pcm_mulaw", "s16", 8_000),
        ("mp4", "aac", "fltp", 44_100),
        ("webm", "libopus", "flt", 48_000),
        ("matroska", "pcm_s16le", "s16", 22_050),
    ],
)
def test_containers_and_depths(container: str, codec: str, sample_format: str, rate: int) -> None:
    audio = read_audio(encode(tone(rate=rate), container, codec, sample_format), LIMITS)
    assert audio.sample_rate_hz == rate
    assert audio.samples.dtype == np.float32
    assert pitch(audio) == pytest.approx(440, abs=8)
    assert 0.4 < np.abs(audio.samples).max() < 0.6


def test_resampling_keeps_duration_and_pitch() -> None:
    audio = tone(rate=44_100).at(16_000)
    assert audio.sample_rate_hz == 16_000
    assert audio.seconds == pytest.approx(0.5, abs=0.001)
    assert pitch(audio) == pytest.approx(440, abs=3)
    assert audio.at(16_000) is audio


def test_parts_are_cut_and_joined() -> None:
    audio = tone(1.0)
    assert audio.between(0.25, 0.75).seconds == pytest.approx(0.5)
    assert (join_audio([audio.between(0, 0.5), audio.between(0.5, 9)]).samples == audio.samples).all()
    assert audio.between(2, 3).seconds == 0
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0] = 1


def test_each_bad_file_has_its_own_reason(tmp_path: Path) -> None:
    assert fault(lambda: read_audio(b"", LIMITS)) == "file_empty"
    assert fault(lambda: read_audio(b"hello world", LIMITS)) == "not_audio"
    assert fault(lambda: read_audio(tmp_path / "没有.wav", LIMITS)) == "file_not_found"
    assert fault(lambda: read_audio(tone(2).encode(), Limits(seconds=1))) == "audio_too_long"
    assert fault(lambda: read_audio(tone(2).encode(), Limits(megabytes=0.01))) == "file_too_large"


def test_a_header_that_hides_the_length_does_not_help() -> None:
    data = encode(tone(3), "adts", "aac", "fltp")
    assert fault(lambda: read_audio(data, Limits(seconds=1))) == "audio_too_long"


def test_a_play_list_opens_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(tone().encode())
    lists = (
        f"ffconcat version 1.0\nfile '{secret}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n",
    )
    for text in lists:
        file = tmp_path / "list.wav"
        file.write_text(text)
        assert fault(lambda file=file: read_audio(file, LIMITS)) == "not_audio"


def test_an_empty_recording_is_told() -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    assert fault(lambda: read_audio(buffer.getvalue(), LIMITS)) in ("no_sound", "not_audio")


def test_a_videos_sound_track_is_read(data: Path) -> None:
    audio = read_audio(data / "video" / "video_sample.mp4", LIMITS)
    assert audio.seconds == pytest.approx(5, abs=0.1)


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_bytes_get_past_as_another_error(noise: bytes, place: int) -> None:
    data = tone(0.05).encode()
    try:
        audio = read_audio(data[:place] + noise + data[place + len(noise) :], Limits(seconds=60))
    except KuamoError:
        return
    assert np.isfinite(audio.samples).all()
    assert audio.sample_rate_hz > 0
