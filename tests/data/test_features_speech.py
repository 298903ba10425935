"""Log-mel and MFCC equal librosa's, a model's features its own extractor's, and padding is silence."""

from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.data.features.speech import LogMel, SpeechFeatures
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits

LIMITS = Limits()
RATE = 16_000
SETTINGS = [
    LogMel(frames=None),
    LogMel(window=2_048, hop=512, frames=None),
    LogMel(bands=40, highest_hz=4_000, window=512, hop=128, frames=None),
]


def sound(seconds: float, seed: int = 0) -> Audio:
    random = np.random.default_rng(seed)
    moments = np.arange(int(seconds * RATE)) / RATE
    tone = 0.4 * np.sin(2 * np.pi * 300 * moments) * (np.sin(2 * np.pi * 3 * moments) > 0)
    return Audio((tone + 0.01 * random.standard_normal(len(moments))).astype(np.float32), RATE)


def mel_options(mel: LogMel) -> dict[str, float]:
    return {"sr": RATE, "n_fft": mel.window, "hop_length": mel.hop, "n_mels": mel.bands, "fmax": mel.highest_hz}


def librosa_log_mel(audio: Audio, mel: LogMel) -> np.ndarray:
    power = librosa.feature.melspectrogram(y=audio.samples, **mel_options(mel))
    return librosa.power_to_db(power, ref=np.max)


@pytest.mark.parametrize("mel", SETTINGS)
def test_log_mel_of_real_speech_is_librosas(data: Path, mel: LogMel) -> None:
    files = ("jfk.flac", "aishell-BAC009S0724W0121.wav", "bobby.wav", "noise2.wav", "digits/0_george_0.wav")
    for name in files:
        audio = read_audio(data / "speech" / name, LIMITS).at(RATE)
        np.testing.assert_allclose(mel.of([audio])[0], librosa_log_mel(audio, mel), atol=1e-4)


@given(seconds=st.floats(0.2, 3), seed=st.integers(0, 9))
def test_log_mel_is_librosas_at_any_length(seconds: float, seed: int) -> None:
    audio = sound(seconds, seed)
    np.testing.assert_allclose(SETTINGS[0].of([audio])[0], librosa_log_mel(audio, SETTINGS[0]), atol=1e-4)


def test_mfcc_is_librosas(data: Path) -> None:
    mel = LogMel()
    audio = read_audio(data / "speech" / "jfk.flac", LIMITS).at(RATE)
    own = librosa.feature.mfcc(y=audio.samples, n_mfcc=20, **mel_options(mel))
    np.testing.assert_allclose(mel.mfcc(audio, 20), own, atol=1e-3)
    assert mel.mfcc(audio).shape == (13, own.shape[1])


def test_padding_is_silence_and_batches_have_one_shape() -> None:
    mel = LogMel()
    batch = mel.of([sound(1), sound(0.3, 1), sound(31)])
    assert batch.shape == (3, 80, 3_000)
    assert batch.dtype == np.float32
    assert (batch[0, :, 101:] == -80).all()
    assert batch.max() == 0
    assert batch.min() == -80
    followed_by_silence = Audio(np.concatenate([sound(1).samples, np.zeros(2 * RATE, np.float32)]), RATE)
    np.testing.assert_allclose(mel.of([followed_by_silence])[0, :, 102:], batch[0, :, 102:])


def test_other_rates_are_resampled() -> None:
    audio = sound(1)
    wide = Audio(librosa.resample(audio.samples, orig_sr=RATE, target_sr=44_100), 44_100)
    np.testing.assert_array_equal(LogMel().of([wide]), LogMel().of([wide.at(RATE)]))


def test_silence_and_a_sound_shorter_than_a_window_are_no_fault() -> None:
    batch = LogMel().of([Audio(np.zeros(RATE, np.float32), RATE), Audio(np.ones(3, np.float32), RATE)])
    assert np.isfinite(batch).all()


def test_whispers_features_are_its_extractors_own(checkpoint: Callable[[str], Path], data: Path) -> None:
    from transformers import AutoFeatureExtractor

    folder = checkpoint("whisper")
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    audios = [read_audio(data / "speech" / name, LIMITS) for name in ("jfk.flac", "bobby.wav", "LJ050-0131.wav")]
    features = SpeechFeatures.load(str(folder))
    made = features.of(audios)
    own = extractor([audio.at(RATE).samples for audio in audios], sampling_rate=RATE, return_tensors="np")
    assert made.shape == (3, 80, 3_000)
    np.testing.assert_allclose(made, own["input_features"], atol=1e-5)
    # What follows the sound is as low as the sound's own range goes: Whisper's silence, not zero.
    assert (made[1, :, 200:] == made[1].min()).all()
    assert features.longest_seconds == 30


def test_whisper_hears_its_window_of_a_longer_sound(checkpoint: Callable[[str], Path]) -> None:
    features = SpeechFeatures.load(str(checkpoint("whisper")))
    long = sound(35)
    np.testing.assert_array_equal(features.of([long]), features.of([long.between(0, 30)]))


def test_models_that_hear_samples_get_their_own(checkpoint: Callable[[str], Path]) -> None:
    from transformers import AutoFeatureExtractor

    folder = checkpoint("ctc_english")
    audios = [sound(1), sound(0.5, 1)]
    own = AutoFeatureExtractor.from_pretrained(folder)(
        [audio.samples for audio in audios], sampling_rate=RATE, padding=True, return_tensors="np"
    )
    made = SpeechFeatures.load(str(folder)).of(audios)
    assert made.shape == (2, RATE)
    np.testing.assert_allclose(made, own["input_values"], atol=1e-5)


def test_a_file_gives_what_its_sound_gives(data: Path) -> None:
    file = data / "speech" / "bobby.wav"
    np.testing.assert_array_equal(LogMel().read(file.read_bytes(), LIMITS), LogMel().of([read_audio(file, LIMITS)])[0])
