"""SpeechT5: sentences, vocoder, speaker, speed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kuamo.contracts import SpeakRequest
from kuamo.engines.speak.speecht5 import SpeechT5
from kuamo.errors import KuamoError
from small_speech_checkpoints import write_speecht5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_speecht5(tmp_path_factory.mktemp("speecht5"))


@pytest.fixture(scope="module")
def speecht5(folder: Path) -> SpeechT5:
    return SpeechT5.load(str(folder), device="cpu", precision="nf4")


def spoken(engine: SpeechT5, text: str, speed: float = 1) -> list[np.ndarray]:
    return [chunk.audio.samples for chunk in engine.speak(SpeakRequest(text=text, speed=speed))]


def test_a_chunk_for_each_sentence_that_has_a_sound(speecht5: SpeechT5) -> None:
    chunks = list(speecht5.speak(SpeakRequest(text="Hi. 🙂 你好 Go!")))
    assert len(chunks) == 2
    assert all(chunk.audio.sample_rate_hz == 16_000 and chunk.audio.seconds > 0.1 for chunk in chunks)
    assert all(np.ptp(chunk.audio.samples) > 0 for chunk in chunks)
    assert (speecht5.precision, speecht5.speaker) == ("fp32", "neutral")


def test_the_same_text_sounds_the_same(speecht5: SpeechT5) -> None:
    assert np.array_equal(spoken(speecht5, "Day")[0], spoken(speecht5, "Day")[0])


def test_numbers_are_read_as_words(speecht5: SpeechT5) -> None:
    assert np.array_equal(spoken(speecht5, "5 dogs")[0], spoken(speecht5, "five dogs")[0])


@pytest.mark.parametrize("speed", [0.25, 0.5, 2, 4])
def test_speed_changes_the_length(speecht5: SpeechT5, speed: float) -> None:
    (normal,), (changed,) = spoken(speecht5, "Hello"), spoken(speecht5, "Hello", speed)
    assert len(changed) == pytest.approx(len(normal) / speed, rel=0.1)


def test_a_text_without_a_known_character_and_an_unknown_voice_are_refused(speecht5: SpeechT5) -> None:
    with pytest.raises(KuamoError) as error:
        spoken(speecht5, "你好")
    assert error.value.code == "text_empty"
    with pytest.raises(KuamoError) as error:
        next(speecht5.speak(SpeakRequest(text="Hello", voice="Anna")))
    assert error.value.code == "unknown_voice"


def test_a_speaker_beside_the_model_or_by_option(tmp_path: Path, speecht5: SpeechT5) -> None:
    write_speecht5(tmp_path)
    save_file({"x_vector": torch.linspace(-1, 1, 8)}, tmp_path / "speaker.safetensors")
    save_file({"x_vector": torch.linspace(1, -1, 8)}, tmp_path / "anna.safetensors")
    beside = SpeechT5.load(str(tmp_path), device="cpu", precision="auto")
    anna = SpeechT5.load(str(tmp_path), device="cpu", precision="auto", speaker=str(tmp_path / "anna.safetensors"))
    assert (beside.speaker, anna.speaker) == ("speaker.safetensors", "anna.safetensors")
    sounds = [spoken(engine, "Hi")[0] for engine in (speecht5, beside, anna)]
    assert not np.array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[1], sounds[2])


def test_a_vocoder_elsewhere(tmp_path: Path, speecht5: SpeechT5) -> None:
    write_speecht5(tmp_path, vocoder="gan")
    engine = SpeechT5.load(str(tmp_path), device="cpu", precision="auto", vocoder=str(tmp_path / "gan"))
    assert np.array_equal(spoken(engine, "Hi")[0], spoken(speecht5, "Hi")[0])
    with pytest.raises(KuamoError, match="nobody/none") as error:
        SpeechT5.load(str(tmp_path), device="cpu", precision="auto", vocoder="nobody/none")
    assert error.value.code == "model_not_downloaded"


def test_a_speaker_of_another_size_is_refused(tmp_path: Path) -> None:
    write_speecht5(tmp_path)
    save_file({"x_vector": torch.zeros(512)}, tmp_path / "speaker.safetensors")
    with pytest.raises(KuamoError) as error:
        SpeechT5.load(str(tmp_path), device="cpu", precision="auto")
    assert error.value.code == "model_unsupported"
