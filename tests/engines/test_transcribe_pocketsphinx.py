from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kuamo.contracts import Segment, Span, TranscribeRequest
from kuamo.engines.transcribe.pocketsphinx import LONGEST_SECONDS, PocketSphinx, _pieces
from kuamo.media.audio import Audio, join_audio, read_audio
from kuamo.media.limits import Limits

SPEECH = Path(__file__).parents[3] / "shared/data/speech"
LIBRISPEECH = (
    "it was the first great sorrow of his life it was not so much the loss of the cotton itself "
    "but the fantasy the hopes the dreams built around it"
)
recorded = pytest.mark.skipif(not SPEECH.is_dir(), reason="the recordings are not here")


@pytest.fixture(scope="module")
def sphinx() -> PocketSphinx:
    return PocketSphinx.load("pocketsphinx", device="auto", precision="auto")


def hear(sphinx: PocketSphinx, audio: Audio) -> list[Segment]:
    return list(sphinx.transcribe(TranscribeRequest(audio=audio)))


def recording(name: str) -> Audio:
    return read_audio(SPEECH / name, Limits())


def quiet(seconds: float, rate: int = 16_000) -> Audio:
    return Audio(np.zeros(round(seconds * rate), np.float32), rate)


def edits(heard: str, said: str) -> int:
    """Count the insertions, deletions and substitutions of words (Levenshtein)."""
    row = list(range(len(said.split()) + 1))
    for index, word in enumerate(heard.split(), 1):
        before, row = row, [index]
        for place, other in enumerate(said.split()):
            row.append(min(row[-1] + 1, before[place + 1] + 1, before[place] + (word != other)))
    return row[-1]


@recorded
def test_read_speech_is_written_down(sphinx):
    audio = recording("librispeech-1995-1837-0001.wav")
    segments = hear(sphinx, audio)
    assert edits(" ".join(segment.text for segment in segments), LIBRISPEECH) / len(LIBRISPEECH.split()) < 0.25
    for segment in segments:
        assert segment.language == "en"
        assert segment.text == " ".join(word.text for word in segment.words)
        times = [second for word in segment.words for second in (word.start_seconds, word.end_seconds)]
        assert times == sorted(times)
        assert 0 <= segment.start_seconds <= times[0] < times[-1] <= segment.end_seconds <= audio.seconds
        assert all(0 <= word.score <= 1 for word in segment.words)


@recorded
def test_fillers_and_pronunciations_are_not_text(sphinx):
    (segment, *_) = hear(sphinx, recording("LJ050-0131.wav"))
    assert not set(segment.text) & set("<>[]()+0123456789")


@recorded
def test_nothing_is_left_from_the_recording_before(sphinx):
    first = hear(sphinx, recording("bobby.wav"))
    hear(sphinx, recording("LJ050-0131.wav"))
    assert hear(sphinx, recording("bobby.wav")) == first


@recorded
def test_utterances_apart_are_segments_apart_and_come_as_heard(sphinx):
    speech = recording("bobby.wav").at(16_000)
    stream = sphinx.transcribe(TranscribeRequest(audio=join_audio([speech, quiet(4), speech])))
    first, second = next(stream), next(stream)
    assert first.end_seconds < 2 < second.start_seconds
    assert first.words[0].text == second.words[0].text == "bobby"
    assert second.words[0].start_seconds == pytest.approx(first.words[0].start_seconds + 4 + speech.seconds, abs=0.15)
    assert list(stream) == []


def test_speech_without_a_pause_is_cut_where_it_is_quiet():
    samples = np.random.default_rng(0).standard_normal(70 * 16_000).astype(np.float32) / 10
    samples[25 * 16_000 : 26 * 16_000] /= 100
    pieces = list(_pieces(Span(1.0, 70.0), Audio(samples, 16_000)))
    assert (pieces[0].start_seconds, pieces[-1].end_seconds) == (1.0, 70.0)
    assert 25 < pieces[0].end_seconds < 26
    assert all(before.end_seconds == after.start_seconds for before, after in pairwise(pieces))
    assert max(piece.end_seconds - piece.start_seconds for piece in pieces) <= LONGEST_SECONDS


@recorded
def test_noise_says_nothing(sphinx):
    assert hear(sphinx, recording("noise2.wav")) == []


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("seconds", [0, 0.01, 3])
def test_silence_says_nothing(sphinx, seconds, rate):
    assert hear(sphinx, quiet(seconds, rate)) == []


@recorded
@pytest.mark.parametrize("gain", [0.02, 20])
def test_faint_and_clipped_speech(sphinx, gain):
    audio = recording("bobby.wav")
    assert hear(sphinx, Audio(np.clip(audio.samples * gain, -1, 1), audio.sample_rate_hz))


@recorded
def test_telephone_sound(sphinx):
    (segment,) = hear(sphinx, recording("bobby.wav").at(8_000))
    assert segment.words
