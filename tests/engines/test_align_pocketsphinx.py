import re
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from praatio import textgrid

from kuamo.contracts import AlignRequest, SpeakRequest, Word
from kuamo.engines.align.pocketsphinx import PocketSphinx
from kuamo.engines.english_sounds import arpabet, said_words
from kuamo.engines.speak.espeak import Espeak
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio, join_audio, read_audio
from kuamo.media.limits import Limits

SPEECH = Path(__file__).parents[3] / "shared/data/speech"
JFK = "And so, my fellow Americans: ask not what your country can do for you; ask what you can do for your country."
LJ = "unless a system is established for the frequent formal review of activities thereunder. in this regard"
recorded = pytest.mark.skipif(not SPEECH.is_dir(), reason="the recordings are not here")


@pytest.fixture(scope="module")
def sphinx() -> PocketSphinx:
    return PocketSphinx.load("pocketsphinx", device="auto", precision="auto")


def align(sphinx: PocketSphinx, audio: Audio, text: str) -> tuple[Word, ...]:
    return sphinx.align(AlignRequest(audio=audio, text=text))


def recording(name: str) -> Audio:
    return read_audio(SPEECH / name, Limits())


def synthesised(text: str) -> tuple[Audio, list[Word]]:
    engine = Espeak.load("espeakng_loader", device="auto", precision="auto")
    chunks = list(engine.speak(SpeakRequest(text=text, language="en")))
    return join_audio([chunk.audio for chunk in chunks]), [word for chunk in chunks for word in chunk.words]


def score(words: tuple[Word, ...]) -> float:
    return mean(word.score for word in words if word.score is not None)


@recorded
def test_boundaries_agree_with_those_set_by_hand(sphinx):
    grid = textgrid.openTextgrid(str(SPEECH / "bobby_words.TextGrid"), includeEmptyIntervals=False)
    truth = grid.getTier("word").entries
    found = align(sphinx, recording("bobby.wav"), "Bobby ripped the ledger!")
    assert [word.text for word in found] == ["Bobby", "ripped", "the", "ledger!"]
    errors = [
        abs(difference)
        for word, entry in zip(found, truth, strict=True)
        for difference in (word.start_seconds - entry.start, word.end_seconds - entry.end)
    ]
    assert mean(errors) < 0.035


def test_boundaries_agree_with_the_synthesiser(sphinx):
    audio, truth = synthesised("The quick brown fox jumps over the lazy dog near the river")
    found = align(sphinx, audio, " ".join(word.text for word in truth))
    errors = [abs(a.start_seconds - b.start_seconds) for a, b in zip(found, truth, strict=True)]
    assert mean(errors) < 0.035


@recorded
@pytest.mark.parametrize(("name", "text"), [("jfk.flac", JFK), ("LJ050-0131.wav", LJ)])
def test_every_word_is_timed_as_written(sphinx, name, text):
    audio = recording(name)
    found = align(sphinx, audio, text)
    assert [word.text for word in found] == text.split()
    times = [second for word in found for second in (word.start_seconds, word.end_seconds)]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= audio.seconds
    assert times == [round(second, 3) for second in times]


@recorded
def test_a_wrong_text_scores_lower(sphinx):
    audio = recording("jfk.flac")
    assert score(align(sphinx, audio, JFK)) > 0.7
    assert score(align(sphinx, audio, LJ)) < 0.3


@recorded
def test_a_wrong_word_is_seen(sphinx):
    found = align(sphinx, recording("jfk.flac"), JFK.replace("country", "elephant"))
    wrong = [word.score for word in found if "elephant" in word.text]
    assert max(wrong) < 0.3 < 0.7 < mean(word.score for word in found if "elephant" not in word.text)


def test_numerals_names_and_signs_are_one_word_each(sphinx):
    text = "On the 21st, ChatGPT paid $5 to Kuamo’s R&D — thanks."
    audio, truth = synthesised(text)
    found = align(sphinx, audio, text)
    assert [word.text for word in found] == [
        "On",
        "the",
        "21st,",
        "ChatGPT",
        "paid",
        "$5",
        "to",
        "Kuamo’s",
        "R&D—",
        "thanks.",
    ]
    spoken = {re.sub(r"\W+$", "", word.text): word for word in truth}
    for word in (found[2], found[3], found[7]):
        middle = (word.start_seconds + word.end_seconds) / 2
        whole = spoken[re.sub(r"\W+$", "", word.text)]
        assert whole.start_seconds < middle < whole.end_seconds


@recorded
def test_long_recordings_keep_their_times(sphinx):
    speech = recording("LJ050-0131.wav").at(16_000)
    times = 12
    found = align(sphinx, join_audio([speech] * times), " ".join([LJ] * times))
    once = align(sphinx, speech, LJ)
    shifts = [
        abs(word.start_seconds - index // len(once) * speech.seconds - once[index % len(once)].start_seconds)
        for index, word in enumerate(found)
    ]
    assert len(found) == times * len(once)
    assert max(shifts) < 0.1


@recorded
def test_nothing_is_left_from_the_recording_before(sphinx):
    first = align(sphinx, recording("bobby.wav"), "bobby ripped the ledger")
    align(sphinx, recording("jfk.flac"), JFK)
    assert align(sphinx, recording("bobby.wav"), "bobby ripped the ledger") == first


@recorded
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_other_sample_rates(sphinx, rate):
    assert score(align(sphinx, recording("LJ050-0131.wav").at(rate), LJ)) > 0.5


@recorded
def test_clipped_speech(sphinx):
    audio = recording("LJ050-0131.wav")
    assert score(align(sphinx, Audio(np.clip(audio.samples * 8, -0.9, 0.9), audio.sample_rate_hz), LJ)) > 0.5


@pytest.mark.parametrize(("samples", "rate"), [(0, 16_000), (80, 8_000), (160, 16_000), (441, 44_100)])
def test_no_word_fits_into_nothing(sphinx, samples, rate):
    with pytest.raises(KuamoError) as fault:
        align(sphinx, Audio(np.zeros(samples, np.float32), rate), "hello")
    assert fault.value.code == "text_does_not_fit"


def test_a_word_in_silence_is_not_believed(sphinx):
    (word,) = align(sphinx, Audio(np.zeros(48_000, np.float32), 16_000), "hello")
    assert word.score is not None
    assert word.score < 0.1


@pytest.mark.parametrize("text", ["...", "— !?", "😀"])
def test_punctuation_alone_is_no_text(sphinx, text):
    with pytest.raises(KuamoError) as fault:
        align(sphinx, Audio(np.zeros(16_000, np.float32), 16_000), text)
    assert fault.value.code == "text_empty"


@pytest.mark.parametrize("text", ["word " * 1000, "a" * 5000, "天" * 5000])
def test_five_thousand_characters_do_not_fit_a_second(sphinx, text):
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) / 50
    with pytest.raises(KuamoError) as fault:
        align(sphinx, Audio(noise, 16_000), text)
    assert fault.value.code == "text_does_not_fit"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("1961", "nineteen sixty one"), ("$5", "five dollars"), ("21st,", "twenty first"), ("50%", "fifty percent"),
        ("R&D", "R and D"), ("“O’Brien’s”", "O'Brien's"), ("10:30", "ten thirty"), ("well-known", "well known"),
        ("007", "zero zero seven"), ("U.S.", "U.S."), ("1,234", "one thousand two hundred and thirty four"), ("—", ""),
    ],
)  # fmt: skip
def test_words_as_they_are_said(word, said):
    assert " ".join(said_words(word)) == said


@pytest.mark.parametrize(
    ("word", "sounds"),
    [("thereunder", "DH EH R AH N D ER"), ("GPU", "JH IY P IY Y UW"), ("café", "K AE F EY"), ("'", "")],
)
def test_sounds_of_words_outside_the_dictionary(word, sounds):
    assert " ".join(arpabet(word)) == sounds
