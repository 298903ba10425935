"""What the recipes of speech share: utterances of the small world spoken once into a file, and frames' labels."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm
from training import RUNS

from kuamo.contracts import AlignRequest, Word
from kuamo.engines.words import split_words
from kuamo.media.audio import Audio
from kuamo.media.text import is_chinese
from kuamo.messages import Language
from kuamo.world.phrases import LANGUAGES
from kuamo.world.recording import RATE_HZ
from kuamo.world.sentences import Split, sentence
from kuamo.world.speech import Utterance, utterance
from kuamo.world.wording import recognised

TRAIN = 40_000
CHUNK = 500
FRAME_SECONDS = 0.02
BLANK, UNKNOWN, GAP = "<pad>", "<unk>", "|"


@dataclass(frozen=True)
class Row:
    """Where an utterance lies in the file, and what is said: `times` are its words' starts and ends in seconds."""

    first: int
    count: int
    text: str
    words: tuple[str, ...]
    times: tuple[tuple[float, float], ...]
    language: Language
    voice: str

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.count / RATE_HZ


class Recordings:
    """Utterances of a split, spoken once: 16-bit samples in one file, and a line for each utterance in another."""

    def __init__(self, split: Split, count: int, folder: Path | None = None) -> None:
        folder = folder or RUNS
        folder.mkdir(exist_ok=True)
        samples, lines = folder / f"speech-{split}-{count}.i16", folder / f"speech-{split}-{count}.jsonl"
        self.rows = _speak(split, count, samples, lines)
        self.samples: NDArray[np.int16] = np.memmap(samples, np.int16, "r")

    def audio(self, row: Row) -> NDArray[np.float32]:
        """Return an utterance's samples at 16 kHz, -1 to 1."""
        return self.samples[row.first : row.first + row.count].astype(np.float32) / 32_768

    def utterance(self, row: Row) -> Utterance:
        """Return it as the small world gives it."""
        words = tuple(Word(*time, word) for time, word in zip(row.times, row.words, strict=True))
        return Utterance(Audio(self.audio(row), RATE_HZ), row.text, row.language, words, row.voice)

    @cached_property
    def by_language(self) -> dict[Language, list[Row]]:
        """The rows of each language."""
        return {language: [row for row in self.rows if row.language == language] for language in LANGUAGES}


def _speak(split: Split, count: int, samples: Path, lines: Path) -> list[Row]:
    rows = _read(lines) if lines.exists() and samples.exists() else []
    rows = rows[: len(rows) // CHUNK * CHUNK] if len(rows) < count else rows
    end = rows[-1].first + rows[-1].count if rows else 0
    if len(rows) == count:
        return rows
    with samples.open("r+b" if rows else "wb") as sound, lines.open("w", encoding="utf-8") as written:
        sound.seek(2 * end)
        written.writelines(_line(row) for row in rows)
        for number in tqdm(range(len(rows), count), desc=f"speech ({split})", mininterval=10):
            rows.append(_row(utterance(number, split), end, sound))
            end += rows[-1].count
            written.write(_line(rows[-1]))
            if number % CHUNK == CHUNK - 1:
                sound.flush()
                written.flush()
    return rows


def _row(spoken: Utterance, first: int, sound) -> Row:
    pcm = spoken.audio.pcm16()
    sound.write(pcm)
    times = tuple((word.start_seconds, word.end_seconds) for word in spoken.words)
    words = tuple(word.text for word in spoken.words)
    return Row(first, len(pcm) // 2, spoken.text, words, times, spoken.language, spoken.voice)


def _line(row: Row) -> str:
    return json.dumps(row.__dict__, ensure_ascii=False) + "\n"


def _read(lines: Path) -> list[Row]:
    rows = []
    whole, _, _ = lines.read_text(encoding="utf-8").rpartition("\n")  # of a run that was killed, the last may be cut
    for line in whole.splitlines():
        fields = json.loads(line)
        fields["words"], fields["times"] = tuple(fields["words"]), tuple(map(tuple, fields["times"]))
        rows.append(Row(**fields))
    return rows


def characters(sentences: int = 40_000, least: int = 8) -> list[str]:
    """Return the letters and the Chinese characters that `sentences` hold at least so often, the commonest first."""
    random, counts = Random("characters"), Counter()
    for number in range(sentences):
        counts.update(sentence(LANGUAGES[number % 2], "train", random).lower())
    common = (letter for letter, count in counts.most_common() if count >= least)
    return [letter for letter in common if letter.isalpha() or letter == "'"]


def labels_of_frames(words: Sequence[Word], ids: dict[str, int], frames: int) -> NDArray[np.int64]:
    """Return a label for each frame of 20 ms: a word's letters evenly over its time, the blank before and after all.

    The gap fills silences between words, and one frame where there is none (none between Chinese characters). A
    letter that repeats the one before is parted from it by a blank.
    """
    labels = np.full(frames, ids[BLANK])
    first = frame_of(words[0].start_seconds) if words else 0
    for word, following in zip(words, [*words[1:], None], strict=False):
        end, after = frame_of(word.end_seconds), frame_of(following.start_seconds) if following else 0
        if following and not is_chinese(word.text + following.text):
            end = int(word.end_seconds / FRAME_SECONDS)
            after = max(end + 1, int(following.start_seconds / FRAME_SECONDS))
            labels[end:after] = ids[GAP]
        _spell(labels[first:end], word.text, ids)
        first = after
    return labels


def frame_of(seconds: float) -> int:
    """Return the frame of 20 ms that begins nearest to a time."""
    return round(seconds / FRAME_SECONDS)


def _spell(labels: NDArray[np.int64], text: str, ids: dict[str, int]) -> None:
    """Spread a word's letters evenly over its frames."""
    letters = [letter for letter in text.lower() if letter.isalpha() or letter == "'"] or [UNKNOWN]
    bounds = np.linspace(0, len(labels), len(letters) + 1).round().astype(int)
    for before, letter, start, end in zip(["", *letters], letters, bounds, bounds[1:], strict=False):
        labels[start:end] = ids.get(letter, ids[UNKNOWN])
        if before == letter and end - start > 1:
            labels[start] = ids[BLANK]


def errors(heard: str, said: str) -> tuple[int, int]:
    """Return how many words (Chinese: characters) of what was said are heard wrong, and how many there are.

    Capitals and marks do not count. Insertions, deletions and substitutions do (Levenshtein distance).
    """
    heard_words, said_words = (split_words(recognised(text, "en")) for text in (heard, said))
    return Levenshtein.distance(heard_words, said_words), len(said_words)


def edge_errors(align: Callable[[AlignRequest], tuple[Word, ...]], utterances: Iterable[Utterance]) -> list[float]:
    """Return by how many seconds an engine's `align` misses each start and each end of the words of utterances."""
    missed: list[float] = []
    for spoken in utterances:
        request = AlignRequest(audio=spoken.audio, text=spoken.text, language=spoken.language)
        for found, true in zip(align(request), spoken.words, strict=True):
            missed.append(abs(found.start_seconds - true.start_seconds))
            missed.append(abs(found.end_seconds - true.end_seconds))
    return missed


if __name__ == "__main__":
    Recordings("train", TRAIN)
