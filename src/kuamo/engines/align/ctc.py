"""Forced alignment by CTC checkpoints of the wav2vec2 family: a known text, and when each of its words is spoken."""

import unicodedata
from dataclasses import dataclass
from math import isqrt
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kuamo.contracts import AlignRequest, Precision, Word
from kuamo.engines.checkpoint import HERE_ONLY, load_model, reading, unsupported
from kuamo.engines.placement import Placement, place
from kuamo.engines.words import is_spoken, split_words, spoken_form
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio
from kuamo.media.text import is_chinese

CHUNK_SECONDS = 30
CONTEXT_SECONDS = 2  # heard on both sides of a chunk, not kept
STAR = -1  # a label for whatever sound is there
APOSTROPHES = str.maketrans("’‘", "''")


@dataclass(frozen=True)
class Vocabulary:
    """The characters that a model writes, by id; `gap` stands between words, None where the model writes none."""

    ids: dict[str, int]
    blank: int
    gap: int | None

    def label(self, character: str) -> int:
        """Return the id of a character as it is, in the other case or without its accent; STAR where there is none."""
        bare = unicodedata.normalize("NFKD", character)[:1]
        forms = (character, character.upper(), character.lower(), bare.upper(), bare.lower())
        return next((self.ids[form] for form in forms if form in self.ids), STAR)

    def labels(self, spoken: str) -> list[int]:
        """Return the labels of a word as it is spoken; a run of unknown characters is one STAR."""
        labels: list[int] = []
        silent = "".join(character for character in spoken if not is_spoken(character))
        for character in spoken.strip(silent).translate(APOSTROPHES):
            label = self.label(character)
            if label == STAR and not is_spoken(character):
                if self.gap is None or character == "'" or labels[-1:] == [self.gap]:
                    continue
                label = self.gap
            if label != STAR or labels[-1:] != [STAR]:
                labels.append(label)
        return labels


class Ctc:
    """A wav2vec2, HuBERT, WavLM … model with a CTC head over characters."""

    def __init__(self, model: Any, extractor: Any, vocabulary: Vocabulary, placement: Placement) -> None:
        self.device, self.precision = placement.device, placement.precision
        self._model, self._extractor, self._vocabulary = model, extractor, vocabulary
        self._rate: int = extractor.sampling_rate
        self._stride: int = model.config.inputs_to_logits_ratio

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision) -> Self:
        """Load a checkpoint folder. Raises KuamoError model_unsupported for a model that does not write characters."""
        from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer, Wav2Vec2CTCTokenizer

        placement = place(source, device, precision)
        # Spans are masked in training only; some checkpoints have no embedding for them.
        model = load_model(AutoModelForCTC, source, "align", placement, mask_time_prob=0.0, mask_feature_prob=0.0)
        with reading(source, "align"):
            tokenizer = AutoTokenizer.from_pretrained(source, **HERE_ONLY)
            extractor = AutoFeatureExtractor.from_pretrained(source, **HERE_ONLY)
        if type(tokenizer) is not Wav2Vec2CTCTokenizer:
            raise unsupported(source, "align", f"{type(tokenizer).__name__} does not write characters")
        if not hasattr(model.config, "inputs_to_logits_ratio") or getattr(model.config, "add_adapter", False):
            raise unsupported(source, "align", "the length of its frames is not known")
        return cls(model, extractor, _vocabulary(tokenizer, model.config.pad_token_id), placement)

    def align(self, request: AlignRequest) -> tuple[Word, ...]:
        """Return each word (Han character) as written, punctuation included, with its times and mean probability.

        Numerals are timed as they are read aloud. Characters that the model does not write are matched with any
        sound (the star token of WhisperX, Bain et al. 2023); a word of such alone has no score.
        Raises KuamoError text_empty, or text_does_not_fit where the recording is too short for the text.
        """
        words = split_words(request.text)
        if not words:
            raise KuamoError("text_empty")
        labels, bounds = self._labels(words, request.language or "en")
        audio = request.audio.at(self._rate)
        frames = self._frames(len(audio.samples))
        if frames < _least_frames(labels):
            raise KuamoError("text_does_not_fit", seconds=audio.seconds, words=len(words))
        emissions, columns = self._emissions(audio, frames, labels)
        return self._timed(words, bounds, emissions, columns)

    def _labels(self, words: list[str], language: str) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
        """Return the labels of all words, a gap between them (none beside Han), and each word's first and end."""
        labels: list[int] = []
        bounds = []
        for word, following in zip(words, [*words[1:], ""], strict=True):
            start = len(labels)
            labels += self._vocabulary.labels(spoken_form(word, language, following))
            bounds.append((start, len(labels)))
            if following and self._vocabulary.gap is not None and not is_chinese(word + following):
                labels.append(self._vocabulary.gap)
        return np.array(labels), bounds

    def _frames(self, samples: int) -> int:
        config = self._model.config
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            samples = (samples - kernel) // stride + 1
        return max(0, samples)

    def _emissions(
        self, audio: Audio, frames: int, labels: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return log-probabilities (frames, columns) of blank, labels in use and star; and the labels as columns.

        The model hears CHUNK_SECONDS at a time, so that its memory does not grow with the recording.
        """
        values = self._extractor(audio.samples, sampling_rate=self._rate, return_tensors="np").input_values[0]
        used, columns = np.unique(labels[labels != STAR], return_inverse=True)
        placed = np.full(len(labels), len(used) + 1)
        placed[labels != STAR] = columns + 1
        emissions = np.empty((frames, len(used) + 2), np.float32)
        step, context = (seconds * self._rate // self._stride for seconds in (CHUNK_SECONDS, CONTEXT_SECONDS))
        for start in range(0, frames, step):
            first, end = max(0, start - context), min(frames, start + step)
            piece = values[first * self._stride : (end + context) * self._stride]
            emissions[start:end] = self._columns(piece, used)[start - first : end - first]
        return emissions, placed

    def _columns(self, values: NDArray[np.float32], used: NDArray[np.int64]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            inputs = torch.from_numpy(values)[None].to(self._model.device, self._model.dtype)
            scores = self._model(inputs).logits[0].float().log_softmax(-1).cpu().numpy()
        blank, gap = self._vocabulary.blank, self._vocabulary.gap
        sounds = np.delete(scores, [blank] if gap is None else [blank, gap], axis=1)
        return np.column_stack([scores[:, blank], scores[:, used], sounds.max(1)])

    def _timed(
        self,
        words: list[str],
        bounds: list[tuple[int, int]],
        emissions: NDArray[np.float32],
        columns: NDArray[np.int64],
    ) -> tuple[Word, ...]:
        path = best_path(emissions, columns)
        seconds = self._stride / self._rate
        timed = []
        for word, (first, end) in zip(words, bounds, strict=True):
            start, stop = (int(frame) for frame in np.searchsorted(path, [2 * first + 1, 2 * end]))
            states = path[start:stop]
            spoken = columns[states[states % 2 == 1] // 2]
            likely = np.exp(emissions[start:stop][states % 2 == 1, spoken])[spoken != emissions.shape[1] - 1]
            score = float(likely.mean()) if likely.size else None
            timed.append(Word(round(start * seconds, 3), round(stop * seconds, 3), word, score))
        return tuple(timed)


def best_path(emissions: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the likeliest CTC state of each frame: 2 i + 1 is label i, 2 i the blank before it (Graves et al. 2006).

    Args:
        emissions: log-probabilities (frames, columns); column 0 the blank's, the last the star's.
        labels: a column each, shape (n,); n and its repeated neighbours fit into the frames.

    Viterbi's algorithm, exact in O(n √frames) memory: the scores are kept at every √frames-th frame, and between two
    of them the moves are found again, from the last stretch to the first.
    """
    states = np.zeros(2 * len(labels) + 1, np.int64)
    states[1::2] = labels
    skips = np.full(len(states), -np.inf)  # added to the score that skips a blank
    skips[3::2][_differ(labels, emissions.shape[1] - 1)] = 0
    stretch = isqrt(len(emissions) - 1) + 1
    scores = np.full(len(states), -np.inf)
    scores[:2] = emissions[0, states[:2]]
    kept = [scores]
    for frame in range(1, len(emissions)):
        scores = _entered(scores, skips) + emissions[frame].take(states)
        if frame % stretch == 0:
            kept.append(scores)
    path = np.empty(len(emissions), np.int64)
    path[-1] = len(states) - 2 + int(scores[-1] > scores[-2])
    for start in range((len(kept) - 1) * stretch, -1, -stretch):
        end = min(start + stretch, len(emissions) - 1)
        low, high = max(0, int(path[end]) - 2 * (end - start)), int(path[end]) + 1  # the states that lead there
        moves = _moves(kept[start // stretch][low:high], skips[low:high], emissions[start : end + 1], states[low:high])
        for frame in range(end - 1, start - 1, -1):
            path[frame] = path[frame + 1] - moves[frame - start, path[frame + 1] - low]
    return path


def _moves(
    scores: NDArray[np.float64], skips: NDArray[np.float64], emissions: NDArray[np.float32], states: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Return how many states are passed to enter each, for each frame but the first: 0 (it stays) where equal."""
    moves = np.empty((len(emissions) - 1, len(states)), np.int8)
    for row, emission in zip(moves, emissions[1:], strict=True):
        entered = _entered(scores, skips)
        row[:] = 2
        row[1:][entered[1:] == scores[:-1]] = 1
        row[entered == scores] = 0
        scores = entered + emission.take(states)
    return moves


def _entered(scores: NDArray[np.float64], skips: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the best score with which each state is entered: from itself, from the one before or past a blank."""
    entered = scores.copy()
    np.maximum(entered[1:], scores[:-1], out=entered[1:])
    np.maximum(entered[2:], scores[:-2] + skips[2:], out=entered[2:])
    return entered


def _differ(labels: NDArray[np.int64], star: int) -> NDArray[np.bool_]:
    """Whether each label but the first may follow the one before it without a blank."""
    differ: NDArray[np.bool_] = (labels[1:] != labels[:-1]) | (labels[1:] == star)
    return differ


def _least_frames(labels: NDArray[np.int64]) -> int:
    return len(labels) + int(np.count_nonzero(~_differ(labels, STAR)))


def _vocabulary(tokenizer: Any, blank: int) -> Vocabulary:
    ids = {token: index for token, index in tokenizer.get_vocab().items() if len(token) == 1}
    gap = ids.pop(tokenizer.word_delimiter_token, None)
    return Vocabulary(ids, blank, gap)
