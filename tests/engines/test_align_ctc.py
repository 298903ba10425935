"""Forced alignment: exact paths, true times, every word timed."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tones import sound, teach_ctc

from kuamo.contracts import AlignRequest, Precision
from kuamo.engines.align.ctc import STAR, Ctc, Vocabulary, best_path
from kuamo.engines.words import is_spoken
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits
from small_speech_checkpoints import write_ctc_chinese, write_ctc_english


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Ctc:
    """A model that writes A, B and C for three tones."""
    folder = write_ctc_english(tmp_path_factory.mktemp("taught"))
    teach_ctc(folder)
    return Ctc.load(str(folder), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Ctc:
    return Ctc.load(str(write_ctc_english(tmp_path_factory.mktemp("english"))), device="cpu", precision="auto")


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Ctc:
    return Ctc.load(str(write_ctc_chinese(tmp_path_factory.mktemp("chinese"))), device="cpu", precision="auto")


def noise(seconds: float, rate: int = 16_000) -> Audio:
    samples = np.random.default_rng(0).standard_normal(round(seconds * rate))
    return Audio((0.1 * samples).astype(np.float32), rate)


# --- the trellis


def planted(spans: list[tuple[int, int, int]], frames: int, columns: int) -> np.ndarray:
    """Log-probabilities with 0.9 for each (first, end, column), and for the blank (column 0) elsewhere."""
    likely = np.zeros(frames, int)
    for first, end, column in spans:
        likely[first:end] = column
    values = np.full((frames, columns), 0.1 / (columns - 1), np.float32)
    values[np.arange(frames), likely] = 0.9
    return np.log(values)


def test_the_path_follows_hand_made_probabilities() -> None:
    emissions = planted([(2, 4, 1), (4, 5, 2), (7, 8, 2), (8, 11, 1)], frames=12, columns=4)
    path = best_path(emissions, np.array([1, 2, 2, 1]))
    assert path.tolist() == [0, 0, 1, 1, 3, 4, 4, 5, 7, 7, 7, 8]


def test_a_path_may_begin_and_end_in_a_label() -> None:
    assert best_path(planted([(0, 3, 1)], 3, 3), np.array([1])).tolist() == [1, 1, 1]
    assert best_path(planted([], 1, 3), np.array([1])).tolist() == [1]


@given(st.integers(0, 10_000), st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(0, 3))
def test_no_other_path_is_likelier(seed: int, labels: list[int], more: int) -> None:
    star = 3
    frames = len(labels) + sum(a == b != star for a, b in itertools.pairwise(labels)) + more
    emissions = np.log(np.random.default_rng(seed).dirichlet(np.full(4, 0.3), frames) + 1e-6).astype(np.float32)
    states = [0, *itertools.chain.from_iterable((label, 0) for label in labels)]

    def follows(before: int, after: int) -> bool:
        skips = after - before == 2 and after % 2 and (states[after] != states[before] or states[after] == star)
        return after - before in (0, 1) or bool(skips)

    paths = [(state,) for state in range(2)]
    for _ in range(frames - 1):
        paths = [(*path, state) for path in paths for state in range(len(states)) if follows(path[-1], state)]
    ended = [path for path in paths if path[-1] >= len(states) - 2]
    scores = [sum(float(emissions[frame, states[state]]) for frame, state in enumerate(path)) for path in ended]
    found = tuple(best_path(emissions, np.array(labels)).tolist())
    assert found in ended
    assert scores[ended.index(found)] == pytest.approx(max(scores), abs=1e-4)


def test_a_long_recording_does_not_collapse() -> None:
    rng = np.random.default_rng(0)
    starts = np.arange(500) * 40 + rng.integers(0, 20, 500)
    labels = rng.integers(1, 9, 500)
    spans = [(int(start), int(start) + 5, int(label)) for start, label in zip(starts, labels, strict=True)]
    path = best_path(planted(spans, frames=20_000, columns=10), labels)
    for place, (first, end, _) in enumerate(spans):
        assert np.flatnonzero(path == 2 * place + 1).tolist() == list(range(first, end))


# --- labels


def test_letters_are_found_in_the_case_the_model_writes() -> None:
    lower = Vocabulary({"h": 5, "i": 6, "'": 7, "e": 8}, blank=0, gap=4)
    upper = Vocabulary({"H": 5, "I": 6, "'": 7, "E": 8}, blank=0, gap=4)
    for vocabulary in (lower, upper):
        assert vocabulary.labels("“Hi!”") == [5, 6]
        assert vocabulary.labels("hi-h") == [5, 6, 4, 5]
        assert vocabulary.labels("hé’i") == [5, 8, 7, 6]
        assert vocabulary.labels("hüxi") == [5, STAR, 6]
        assert vocabulary.labels("漢字") == [STAR]


# --- the engine


def test_words_are_timed_where_they_sound(taught: Ctc) -> None:
    parts = [(" ", 0.5), ("A", 0.3), ("B", 0.3), (" ", 0.4), ("C", 0.4), (" ", 0.3), ("B", 0.2), ("A", 0.2), (" ", 0.6)]
    for audio in (sound(*parts), sound(*parts).at(8_000)):
        words = taught.align(AlignRequest(audio=audio, text="“Ab, c! Bä”", language="en"))
        assert [word.text for word in words] == ["“Ab,", "c!", "Bä”"]
        times = [(word.start_seconds, word.end_seconds) for word in words]
        assert np.allclose(times, [(0.5, 1.1), (1.5, 1.9), (2.2, 2.6)], atol=0.041)
        assert all(word.score and word.score > 0.5 for word in words)


def test_an_unknown_word_is_timed_by_what_is_left(taught: Ctc) -> None:
    audio = sound((" ", 0.4), ("A", 0.4), (" ", 0.4), ("C", 0.4), (" ", 0.4), ("B", 0.4), (" ", 0.4))
    known, unknown, _ = taught.align(AlignRequest(audio=audio, text="a 漢 b", language="en"))
    assert (unknown.start_seconds, unknown.end_seconds) == pytest.approx((1.2, 1.6), abs=0.1)
    assert known.score
    assert unknown.score is None


def test_recordings_longer_than_a_chunk(taught: Ctc) -> None:
    audio = sound((" ", 29.5), ("A", 1.0), (" ", 32), ("B", 0.5), (" ", 2))
    first, second = taught.align(AlignRequest(audio=audio, text="A b", language="en"))
    assert (first.start_seconds, first.end_seconds) == pytest.approx((29.5, 30.5), abs=0.06)
    assert (second.start_seconds, second.end_seconds) == pytest.approx((62.5, 63), abs=0.06)


@pytest.mark.parametrize("samples", [0, 399, 400, 719, 720, 16_000, 54_321])
def test_frames_are_as_many_as_the_model_makes(english: Ctc, samples: int) -> None:
    model = english._model
    made = model(torch.zeros(1, samples)).logits.shape[1] if samples >= 400 else 0
    assert english._frames(samples) == made
    assert english._stride == 320


TEXTS = st.text(st.sampled_from("aZé9 7今天年气，。.!'’%🙂–漢"), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(text=TEXTS, language=st.sampled_from(["en", "zh", "ja"]))
def test_every_word_is_timed_in_order(english: Ctc, chinese: Ctc, text: str, language: str) -> None:
    audio = noise(12)
    for engine in (english, chinese):
        request = AlignRequest(audio=audio, text=text, language=language)
        if not any(map(is_spoken, text)):
            with pytest.raises(KuamoError, match="no text"):
                engine.align(request)
            continue
        words = engine.align(request)
        assert "".join(word.text for word in words) == "".join(text.split())
        times = [second for word in words for second in (word.start_seconds, word.end_seconds)]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] <= audio.seconds
        assert all(word.start_seconds < word.end_seconds for word in words)
        assert all(word.score is None or 0 < word.score <= 1 for word in words)


def test_chinese_by_the_character(chinese: Ctc) -> None:
    words = chinese.align(AlignRequest(audio=noise(5), text="今天，1995年去iPhone公园。", language="zh"))
    assert [word.text for word in words] == ["今", "天，", "1995", "年", "去", "iPhone", "公", "园。"]
    assert [word.text for word in words if word.score is None] == ["iPhone"]


@pytest.mark.parametrize("seconds", [0, 0.01, 0.1])
def test_a_text_too_long_for_its_recording_is_refused(english: Ctc, seconds: float) -> None:
    with pytest.raises(KuamoError) as error:
        english.align(AlignRequest(audio=noise(seconds), text="far too many words", language="en"))
    assert error.value.code == "text_does_not_fit"


def test_equal_letters_need_a_frame_between(english: Ctc) -> None:
    frames_3 = Audio(np.zeros(400 + 2 * 320, np.float32), 16_000)
    assert len(english.align(AlignRequest(audio=frames_3, text="aa", language="en"))) == 1
    with pytest.raises(KuamoError, match="1 words"):
        english.align(AlignRequest(audio=frames_3, text="aaa", language="en"))


@pytest.mark.parametrize("precision", ["bf16", "int8", "nf4"])
def test_other_precisions(tmp_path: Path, precision: Precision) -> None:
    engine = Ctc.load(str(write_ctc_english(tmp_path)), device="cpu", precision=precision)
    assert engine.precision == precision
    assert len(engine.align(AlignRequest(audio=noise(2), text="two words", language="en"))) == 2


def test_a_model_that_writes_phonemes_is_refused(tmp_path: Path) -> None:
    write_ctc_english(tmp_path)
    file = tmp_path / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer"}))
    with pytest.raises(KuamoError) as error:
        Ctc.load(str(tmp_path), device="cpu", precision="auto")
    assert error.value.code == "model_unsupported"


def test_a_real_recording(english: Ctc, data: Path) -> None:
    audio = read_audio(data / "speech" / "jfk.flac", Limits())
    text = "And so my fellow Americans ask not what your country can do for you"
    words = english.align(AlignRequest(audio=audio, text=text, language="en"))
    assert " ".join(word.text for word in words) == text
    assert words[-1].end_seconds <= audio.seconds
