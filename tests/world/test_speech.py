"""The small world aloud: the same each time, splits apart, times true."""

import os
import re
import subprocess
import sys
from itertools import islice, pairwise
from random import Random

import numpy as np
import pytest

from kuamo.engines.words import split_words
from kuamo.world.phrases import LANGUAGES
from kuamo.world.sentences import LEAST_HELD_OUT, sentence, split_of, written
from kuamo.world.speech import Utterance, in_places, speech, utterance, voices_of
from kuamo.world.wording import recognised

SPOKEN = """
from itertools import islice
from kuamo.world.speech import speech
for spoken in islice(speech("held_out", first=3), 4):
    print(spoken.text, spoken.voice, *(f"{word.start_seconds:.2f}" for word in spoken.words))
"""


@pytest.fixture(scope="module")
def utterances() -> list[Utterance]:
    """Some of training, as spoken."""
    return [utterance(number) for number in range(40)]


def rms(spoken: Utterance, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(spoken.audio.between(start, end).samples ** 2)))


def test_the_same_in_every_process() -> None:
    here = [
        f"{one.text} {one.voice} " + " ".join(f"{word.start_seconds:.2f}" for word in one.words)
        for one in islice(speech("held_out", first=3), 4)
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONUTF8": "1"}
    there = subprocess.run([sys.executable, "-c", SPOKEN], env=environment, capture_output=True, text=True, check=True)
    for line, again in zip(here, there.stdout.splitlines(), strict=True):
        assert re.split(r" (?=\d+\.)", line)[0] == re.split(r" (?=\d+\.)", again)[0]
        times, times_again = ([float(time) for time in re.findall(r"\d+\.\d+", text)] for text in (line, again))
        assert times == pytest.approx(times_again, abs=0.03)


def test_what_is_spoken_is_what_is_written(utterances: list[Utterance]) -> None:
    assert {spoken.language for spoken in utterances} == {"en", "zh"}
    for spoken in utterances:
        assert [word.text for word in spoken.words] == split_words(spoken.text)
        assert spoken.audio.sample_rate_hz == 16_000
        assert np.abs(spoken.audio.samples).max() > 0.01


def test_words_follow_each_other_within_the_sound(utterances: list[Utterance]) -> None:
    for spoken in utterances:
        bounds = [second for word in spoken.words for second in (word.start_seconds, word.end_seconds)]
        assert bounds == sorted(bounds)
        assert bounds[0] >= 0
        assert bounds[-1] <= spoken.audio.seconds + 0.001


def test_between_words_that_are_apart_it_is_silent(utterances: list[Utterance]) -> None:
    pauses = []
    for spoken in utterances:
        loud = rms(spoken, spoken.words[0].start_seconds, spoken.words[-1].end_seconds)
        for word, following in pairwise(spoken.words):
            if following.start_seconds - word.end_seconds > 0.08:
                pauses.append(rms(spoken, word.end_seconds + 0.03, following.start_seconds - 0.01) / loud)
    assert len(pauses) > 20
    assert np.median(pauses) < 0.02
    assert np.mean(np.array(pauses) < 0.2) > 0.85  # some voices have an echo


def test_times_are_shifted_with_the_sound(utterances: list[Utterance]) -> None:
    for number, spoken in enumerate(utterances[:10]):
        placed = in_places(spoken, Random(number))
        before = placed.words[0].start_seconds - spoken.words[0].start_seconds
        assert 0.05 <= before <= 0.81
        clean = np.pad(spoken.audio.samples, (round(before * 16_000), 0))
        heard = placed.audio.samples[: len(clean)]
        spectra = np.fft.rfft(heard, 2 * len(clean)) * np.fft.rfft(clean[: len(heard)], 2 * len(clean)).conj()
        likeness = np.fft.irfft(spectra)
        lag = int(np.abs(likeness).argmax())
        assert min(lag, 2 * len(clean) - lag) <= 16  # a millisecond


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_splits_share_no_sentence(language: str) -> None:
    random = Random(0)
    train = {recognised(sentence(language, "train", random), language) for _ in range(800)}
    held_out = {recognised(sentence(language, "held_out", random), language) for _ in range(100)}
    assert len(train) > 400
    assert len(held_out) > 60
    assert train.isdisjoint(held_out)
    assert {split_of(text, language) for text in held_out} == {"held_out"}
    assert min(len(split_words(text)) for text in held_out) >= LEAST_HELD_OUT[language]


def test_the_splits_share_no_voice() -> None:
    train, held_out = voices_of("train"), voices_of("held_out")
    assert len(held_out) >= 12
    assert set(train).isdisjoint(held_out)
    heard = {spoken.voice.partition("+")[2] for spoken in islice(speech("held_out"), 12)}
    assert heard <= set(held_out)


def test_capitals_and_marks_do_not_move_a_sentence() -> None:
    assert split_of("What colour is the boat?", "en") == split_of("what colour is the boat", "en")


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("what is 3 plus 12", "en", "What is three plus twelve?"),
        ("hello kuamo i am here", "en", "Hello Kuamo I am here."),
        ("Sketch: a red cat, on the left", "en", "Sketch: a red cat, on the left."),
        ("有3只猫吗", "zh", "有三只猫吗？"),
        ("你好 跨模", "zh", "你好跨模。"),
        ("运行 kuamo models 看看。", "zh", "运行kuamo models看看。"),
    ],
)
def test_texts_are_written_as_they_are_read_aloud(text: str, language: str, right: str) -> None:
    assert written(text, language) == right


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_hold_no_numeral_and_end_with_a_mark(language: str) -> None:
    random = Random(1)
    for _ in range(300):
        text = sentence(language, "train", random)
        assert not re.search(r"\d", text)
        assert text[-1] in ".?!。？！"
        assert language == "zh" or not re.search("[\u4e00-\u9fff]", text)
