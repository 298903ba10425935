"""Measure a turn with the voice assistant, stage by stage, in seconds from the end of speech: one table.

    python benchmarks/voice.py [--turns N] [--profile NAME] [RECORDING ...]

Without recordings, short questions in English spoken by espeak. A first turn, which loads the models, is not counted.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from kuamo.capabilities.assistant import Stages, TurnRequest, talk
from kuamo.capabilities.hear import read_turn
from kuamo.capabilities.speak import speak
from kuamo.catalogue import Catalogue
from kuamo.contracts import SpeakRequest
from kuamo.media.audio import Audio
from kuamo.runtime import Models
from kuamo.settings import Settings

QUESTIONS = ("Hello, how are you?", "What can you do?", "Thank you very much.", "What is your name?", "Tell me a joke.")
STAGES: dict[str, Callable[[Stages], float]] = {
    "text heard": lambda stages: stages.heard_seconds or 0.0,
    "first token": lambda stages: stages.first_text_seconds,
    "first sound": lambda stages: stages.first_sound_seconds,
}


def recordings(files: list[Path], models: Models) -> list[Audio]:
    """Return the recordings to say to the assistant."""
    if files:
        return [read_turn(file, models.settings.limits) for file in files]
    return [speak(SpeakRequest(text=text, language="en"), models).result().audio for text in QUESTIONS]


def turns(said: list[Audio], count: int, models: Models) -> Iterator[Stages]:
    """Take turns, one after the other; yield the stages of all but the first, each of a conversation of its own."""
    for number in range(count + 1):
        stages = talk(TurnRequest(audio=said[number % len(said)]), models).result().stages
        if number:
            yield stages


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--profile", default="nano")
    given = parser.parse_args()
    settings = Settings.read(profile=given.profile)
    models = Models(Catalogue.load(settings.model), settings)
    said = recordings(given.recordings, models)
    measured = list(turns(said, given.turns, models))
    seconds = median(audio.seconds for audio in said)
    print(f"{len(measured)} turns on {os.cpu_count()} cores; the median recording lasts {seconds:.1f} s")
    print(f"{'from the end of speech to':<28}{'median, s':>12}{'worst, s':>12}")
    for name, stage in STAGES.items():
        values = [stage(stages) for stages in measured]
        print(f"{name:<28}{median(values):>12.3f}{max(values):>12.3f}")
    models.close()


if __name__ == "__main__":
    main()
