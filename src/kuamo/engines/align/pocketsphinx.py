"""Forced alignment of English by PocketSphinx, its acoustic model and the CMU dictionary inside its package."""

from math import exp, log
from typing import Any, Self

from kuamo.contracts import AlignRequest, Precision, Word
from kuamo.engines.english_sounds import arpabet, said_words
from kuamo.engines.words import split_words
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio

SAMPLE_RATE_HZ = 16_000
FRAME_SECONDS = 0.01
# A frame's 25.6 ms are centred 7.8 ms after the place where its 10 ms begin to count.
OFFSET_SECONDS = 0.0078
BEAM = 1e-200  # wide enough that a text which does not fit is still placed, and gets its low scores
# PocketSphinx divides log-likelihoods by 1024 (SENSCR_SHIFT) before it gives a word's.
LOG_SCALE = 1024
# Log-likelihood a frame, against the best state of all: about -4 where the words were spoken, -9 where others were.
EVEN_CHANCE, STEEPNESS = -6.3, 1.2
UNKNOWN_SOUND = ("AH",)


class PocketSphinx:
    """A Viterbi search through the text's words, silence allowed between them."""

    device = "cpu"
    precision = "fp32"

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._added: dict[tuple[str, ...], str] = {}

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load the model inside the package."""
        from pocketsphinx import Decoder

        # bestpath: its word lattice forgets the text's order and loses words. compallsen: scores against all states.
        # dither: digital silence has no spectrum, and would fit any word.
        beams = {"beam": BEAM, "pbeam": BEAM, "wbeam": BEAM}
        return cls(Decoder(lm=None, bestpath=False, compallsen=True, loglevel="FATAL", dither=True, seed=1, **beams))

    def align(self, request: AlignRequest) -> tuple[Word, ...]:
        """Time each word as it is written, punctuation with it, numerals and all; times to 3 decimals.

        A score near 1 says that the word was spoken there, near 0 that something else was (the likelihood a frame of
        the word's states against the best of all states, through a logistic curve; after the goodness of
        pronunciation of Witt and Young, 2000). Raises KuamoError text_empty where nothing can be spoken, and
        text_does_not_fit where the recording is too short for the text.
        """
        words = split_words(request.text)
        if not words:
            raise KuamoError("text_empty")
        names = [self._name(word) for word in words]
        found = self._search(names, request.audio.at(SAMPLE_RATE_HZ))
        if len(found) != len(words):
            raise KuamoError("text_does_not_fit", words=len(words), seconds=request.audio.seconds)
        return tuple(_word(text, segment, request.audio.seconds) for text, segment in zip(words, found, strict=True))

    def _name(self, word: str) -> str:
        """Return the name of a word in the decoder's dictionary, put there with its sounds where it is not."""
        said = said_words(word)
        if len(said) == 1 and (known := self._known(said[0])):
            return known
        sounds = tuple(sound for part in said for sound in self._sounds(part)) or UNKNOWN_SOUND
        if sounds not in self._added:
            self._added[sounds] = f"_{len(self._added)}"
            self._decoder.add_word(self._added[sounds], " ".join(sounds), update=False)
        return self._added[sounds]

    def _known(self, word: str) -> str | None:
        """Return the dictionary's spelling of a word ("u.s." keeps its points, "end." does not)."""
        lower = word.lower()
        return next((name for name in (lower, lower.rstrip(".")) if self._decoder.lookup_word(name)), None)

    def _sounds(self, word: str) -> tuple[str, ...]:
        known = self._known(word)
        return tuple(self._decoder.lookup_word(known).split()) if known else arpabet(word)

    def _search(self, names: list[str], audio: Audio) -> list[Any]:
        """Return the decoder's segments of the words; none where no path leads through them all."""
        decoder = self._decoder
        if not len(audio.samples):
            return []
        decoder.set_align_text(" ".join(names))
        decoder.reinit_feat()  # the last recording's cepstral mean
        decoder.start_utt()
        decoder.process_raw(audio.pcm16(), full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return []
        return [segment for segment in decoder.seg() if segment.word[0] not in "<["]


def _word(text: str, segment: Any, seconds: float) -> Word:
    start, end = (
        min(round(frame * FRAME_SECONDS + OFFSET_SECONDS, 3), seconds)
        for frame in (segment.start_frame, segment.end_frame + 1)
    )
    frames = segment.end_frame + 1 - segment.start_frame
    likelihood = log(segment.ascore) * LOG_SCALE / frames
    return Word(start, end, text, round(1 / (1 + exp(STEEPNESS * (EVEN_CHANCE - likelihood))), 3))
