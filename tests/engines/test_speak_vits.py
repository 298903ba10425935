"""VITS: sentences, speakers, speed."""

from pathlib import Path

import numpy as np
import pytest

from kuamo.contracts import SpeakRequest
from kuamo.engines.speak.vits import Vits
from kuamo.errors import KuamoError
from small_speech_checkpoints import write_vits


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> Vits:
    return Vits.load(str(write_vits(tmp_path_factory.mktemp("vits"), speakers=3)), device="cpu", precision="auto")


def spoken(engine: Vits, text: str, **changes: object) -> list[np.ndarray]:
    return [chunk.audio.samples for chunk in engine.speak(SpeakRequest(text=text, **changes))]  # type: ignore[arg-type]


def test_a_chunk_for_each_sentence_that_has_a_sound(vits: Vits) -> None:
    chunks = list(vits.speak(SpeakRequest(text="Hello there. 🙂 你好。How are you?")))
    assert len(chunks) == 2
    assert all(chunk.audio.sample_rate_hz == 16_000 and chunk.audio.seconds > 0.1 for chunk in chunks)
    assert all(np.isfinite(chunk.audio.samples).all() and np.ptp(chunk.audio.samples) > 0 for chunk in chunks)


def test_the_same_text_sounds_the_same(vits: Vits) -> None:
    (first,), (again,), (other,) = (spoken(vits, text) for text in ("Good day", "Good day", "Good night"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[:1000], other[:1000])


def test_speed_is_the_speaking_rate(vits: Vits) -> None:
    text = "The quick brown fox jumps over the lazy dog"
    (slow,), (normal,), (fast,) = (spoken(vits, text, speed=speed) for speed in (0.5, 1.0, 2.0))
    assert len(slow) > 1.5 * len(normal) > 2 * len(fast)


def test_voices_are_speakers_by_number(vits: Vits) -> None:
    voices = [spoken(vits, "Hello", voice=voice)[0] for voice in ("0", "1", "2")]
    assert np.array_equal(voices[0], spoken(vits, "Hello")[0])
    assert not np.array_equal(voices[0][:1000], voices[2][:1000])
    for voice in ("3", "-1", "Anna", "²"):
        with pytest.raises(KuamoError) as error:
            spoken(vits, "Hello", voice=voice)
        assert error.value.code == "unknown_voice"


def test_a_text_without_a_known_character_is_refused(vits: Vits) -> None:
    with pytest.raises(KuamoError) as error:
        spoken(vits, "你好。🙂")
    assert error.value.code == "text_empty"


def test_one_speaker_and_a_precision_it_does_not_need(tmp_path: Path) -> None:
    engine = Vits.load(str(write_vits(tmp_path)), device="cpu", precision="int8")
    assert (engine.device, engine.precision) == ("cpu", "fp32")
    assert len(spoken(engine, "Hello")) == 1


@pytest.mark.parametrize("package", ["uroman", "phonemizer"])
def test_a_checkpoint_that_needs_another_package_says_which(tmp_path: Path, package: str) -> None:
    needs = {"is_uroman": package == "uroman", "phonemize": package == "phonemizer"}
    with pytest.raises(KuamoError, match=package) as error:
        Vits.load(str(write_vits(tmp_path, **needs)), device="cpu", precision="auto")
    assert error.value.code == "model_unsupported"


def test_the_iterator_stops_when_closed(vits: Vits) -> None:
    sentences = vits.speak(SpeakRequest(text="One. Two. Three."))
    next(sentences)
    sentences.close()
    assert list(sentences) == []
