"""English speech recognition by PocketSphinx; acoustic model, dictionary and language model inside its package."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from kuamo.contracts import Precision, Segment, Span, TranscribeRequest, Word
from kuamo.engines.voice_activity import VoiceActivity
from kuamo.media.audio import Audio

SAMPLE_RATE_HZ = 16_000
FRAME_SECONDS = 0.01
# A frame's 25.6 ms are centred 7.8 ms after the place where its 10 ms begin to count.
OFFSET_SECONDS = 0.0078
# Neighbouring speech is heard together, for the language model and the cepstral mean, up to these lengths.
TOGETHER_SECONDS, PAUSE_SECONDS = 15.0, 2.0
LONGEST_SECONDS = 30.0
QUIET_SECONDS = 0.1
BLOCK_SECONDS = 0.1  # what is searched at a time: the library lets no other thread run meanwhile
NOTHING = "#JSGF V1.0; grammar nothing; public <nothing> = a;"


class PocketSphinx:
    """N-gram recognition, one utterance at a time."""

    device = "cpu"
    precision = "fp32"

    def __init__(self, decoder: Any, meter: Any, activity: VoiceActivity) -> None:
        self._decoder, self._meter = decoder, meter
        self._activity = activity

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load the models inside the packages of PocketSphinx and Silero."""
        from pocketsphinx import Decoder

        # topn, maxhmmpf: searched more widely than by default, for fewer word errors (benchmarks/speech.py).
        decoder = Decoder(topn=8, maxhmmpf=-1, dither=True, seed=1, loglevel="FATAL")
        meter = Decoder(lm=None, topn=1, dither=True, seed=1, loglevel="FATAL")
        meter.add_jsgf_string("nothing", NOTHING)
        meter.activate_search("nothing")
        return cls(decoder, meter, VoiceActivity(padding_seconds=0.4, minimum_silence_seconds=0.3))

    def transcribe(self, request: TranscribeRequest) -> Iterator[Segment]:
        """Write down each utterance as it is recognised; nothing where there is no speech.

        Utterances are neighbouring speech of at most 15 s, a longer stretch cut where it is quietest; words carry
        times to 3 decimals and posterior probabilities.
        """
        audio = request.audio.at(SAMPLE_RATE_HZ)
        for span in _together(self._activity.spans(audio)):
            for piece in _pieces(span, audio):
                words = tuple(self._words(audio.between(piece.start_seconds, piece.end_seconds), piece))
                if words:
                    text = " ".join(word.text for word in words)
                    yield Segment(piece.start_seconds, piece.end_seconds, text, words, "en")

    def _words(self, audio: Audio, piece: Span) -> Iterator[Word]:
        decoder = self._decoder
        decoder.reinit_feat()  # the last utterance's cepstral mean
        decoder.set_cmn(self._mean(audio))
        decoder.start_utt()
        for start in range(0, len(audio.samples), round(BLOCK_SECONDS * SAMPLE_RATE_HZ)):
            decoder.process_raw(audio.between(start / SAMPLE_RATE_HZ, start / SAMPLE_RATE_HZ + BLOCK_SECONDS).pcm16())
        decoder.end_utt()
        if decoder.hyp() is None:
            return
        for segment in decoder.seg():
            if segment.word[0] not in "<[+":
                start, end = (
                    min(round(piece.start_seconds + frame * FRAME_SECONDS + OFFSET_SECONDS, 3), piece.end_seconds)
                    for frame in (segment.start_frame, segment.end_frame + 1)
                )
                yield Word(start, end, _spelling(segment.word), round(min(segment.prob, 1.0), 3))

    def _mean(self, audio: Audio) -> str:
        """Return the cepstral mean of a whole utterance, by a decoder that searches next to nothing."""
        meter = self._meter
        meter.reinit_feat()
        meter.start_utt()
        meter.process_raw(audio.pcm16(), full_utt=True)
        meter.end_utt()
        return str(meter.get_cmn(False))


def _spelling(word: str) -> str:
    """Return a dictionary's word without the number of its pronunciation: read(2) is read; i is I."""
    return re.sub(r"\(\d+\)$", "", re.sub(r"^i\b", "I", word))


def _together(spans: Sequence[Span]) -> list[Span]:
    groups: list[Span] = []
    for span in spans:
        last = groups[-1] if groups else None
        if (
            last
            and span.start_seconds - last.end_seconds <= PAUSE_SECONDS
            and span.end_seconds - last.start_seconds <= TOGETHER_SECONDS
        ):
            groups[-1] = Span(last.start_seconds, span.end_seconds)
        else:
            groups.append(span)
    return groups


def _pieces(span: Span, audio: Audio) -> Iterator[Span]:
    """Cut a span to pieces of at most 30 s, at the quietest tenth of a second of the last ten of each."""
    start = span.start_seconds
    while span.end_seconds - start > LONGEST_SECONDS:
        window = audio.between(start + LONGEST_SECONDS * 2 / 3, start + LONGEST_SECONDS)
        size = round(QUIET_SECONDS * SAMPLE_RATE_HZ)
        blocks = window.samples[: len(window.samples) // size * size].reshape(-1, size)
        quietest = int(np.argmin(np.square(blocks).sum(axis=1)))
        end = round(start + LONGEST_SECONDS * 2 / 3 + (quietest + 0.5) * QUIET_SECONDS, 3)
        yield Span(start, end)
        start = end
    yield Span(start, span.end_seconds)
