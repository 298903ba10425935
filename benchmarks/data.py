"""Preparing data, Kuamo beside the plain ways: pictures and recordings to what a model is fed. One table.

    python benchmarks/data.py [PICTURES [RECORDINGS [FOLDER]]]

PICTURES and RECORDINGS are how many of each kind (200 and 100 unless given). They are made from FOLDER's images/*.jpg
and speech (../shared/data unless given), enlarged or cut to size. Kuamo and datasets.map use two cores, the loops one.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import datasets
import librosa
import numpy as np
import PIL.Image
import soundfile
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from kuamo.data.features.image import ImageFeatures
from kuamo.data.features.sound import trim_silence
from kuamo.data.features.speech import LogMel
from kuamo.data.features.store import FeatureStore
from kuamo.data.features.stream import stream, stream_features
from kuamo.media.audio import join_audio, read_audio
from kuamo.media.limits import Limits

CORES = 2
LIMITS = Limits()
MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711])
SIZES = {"640×480 JPEG": (640, 480), "4000×3000 JPEG": (4_000, 3_000)}
SOUNDS = {
    "5 s, 16 kHz WAV": (5, 16_000, "wav"),
    "30 s, 16 kHz WAV": (30, 16_000, "wav"),
    "10 s, 44.1 kHz MP3": (10, 44_100, "mp3"),
}

Way = tuple[str, Callable[[], int]]


def drain(made: Iterable[object]) -> int:
    """Count what an iterator yields, keeping nothing."""
    return sum(1 for _ in made)


def write_pictures(source: Path, folder: Path, size: tuple[int, int], count: int) -> list[Path]:
    """Write `count` JPEGs of one size, of the real photographs in turn."""
    files = []
    for number, name in enumerate(islice(cycle(sorted((source / "images").glob("*.jpg"))), count)):
        files.append(folder / f"{size[0]}-{number}.jpg")
        with PIL.Image.open(name) as picture:
            picture.convert("RGB").resize(size, PIL.Image.Resampling.LANCZOS).save(files[-1], quality=90)
    return files


def picture_loop(files: list[Path]) -> Iterator[np.ndarray]:
    """The plain loop: open, resize, centre-crop, normalise, one by one."""
    for file in files:
        with PIL.Image.open(file) as opened:
            picture = opened.convert("RGB")
        scale = 224 / min(picture.size)
        picture = picture.resize(
            (int(picture.width * scale), int(picture.height * scale)), PIL.Image.Resampling.BICUBIC
        )
        left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
        pixels = np.array(picture.crop((left, top, left + 224, top + 224))) / 255
        yield ((pixels - MEAN) / DEVIATION).transpose(2, 0, 1).astype(np.float32)


def picture_map(files: list[Path], folder: Path) -> int:
    """`datasets.map` with the model's processor, in batches, on two processes."""
    processor = CLIPImageProcessorPil()
    rows = datasets.Dataset.from_dict({"image": [str(file) for file in files]}).cast_column("image", datasets.Image())
    mapped = rows.map(
        lambda batch: processor(images=batch["image"], return_tensors="np"),
        batched=True, batch_size=16, num_proc=CORES, remove_columns=["image"], keep_in_memory=False,
        cache_file_name=str(folder / "map.arrow"), load_from_cache_file=False,
    )  # fmt: skip
    return len(mapped)


def picture_ways(files: list[Path], folder: Path) -> list[Way]:
    """The ways to turn pictures into CLIP's tensors."""
    exact, reduced = (ImageFeatures(CLIPImageProcessorPil(), reduced=reduced) for reduced in (False, True))
    readers = [file.read_bytes for file in files]
    store = FeatureStore(folder / "features", exact.settings)
    return [
        ("the plain loop", lambda: drain(picture_loop(files))),
        ("datasets.map", lambda: picture_map(files, folder)),
        ("Kuamo, exact", lambda: drain(stream_features(readers, exact, LIMITS, threads=CORES))),
        ("Kuamo, decoded at reduced scale", lambda: drain(stream_features(readers, reduced, LIMITS, threads=CORES))),
        ("Kuamo, kept from before", lambda: drain(stream_features(readers, exact, LIMITS, store, threads=CORES))),
    ]


def write_sounds(source: Path, folder: Path, kind: tuple[int, int, str], count: int) -> list[Path]:
    """Write `count` recordings of one length, rate and container, of real speech from different moments."""
    seconds, rate, container = kind
    speech = join_audio(
        [read_audio(source / "speech" / name, LIMITS).at(rate) for name in ("jfk.flac", "LJ050-0131.wav")]
    )
    files = []
    for number in range(count):
        files.append(folder / f"{seconds}-{rate}-{number}.{container}")
        soundfile.write(files[-1], np.resize(np.roll(speech.samples, -number * rate), seconds * rate), rate)
    return files


def sound_loop(files: list[Path], mel: LogMel) -> Iterator[np.ndarray]:
    """The plain loop of librosa: load at 16 kHz, trim, log-mel against the loudest, pad with silence."""
    for file in files:
        samples, _ = librosa.load(file, sr=mel.sample_rate_hz)
        samples, _ = librosa.effects.trim(samples, top_db=20)
        power = librosa.feature.melspectrogram(
            y=samples,
            sr=mel.sample_rate_hz,
            n_fft=mel.window,
            hop_length=mel.hop,
            n_mels=mel.bands,
            fmax=mel.highest_hz,
        )
        levels = librosa.power_to_db(power, ref=np.max)[:, :3_000]
        yield np.pad(levels, ((0, 0), (0, 3_000 - levels.shape[1])), constant_values=-80)


def log_mel(file: Path, mel: LogMel) -> np.ndarray:
    """Read, resample, trim, log-mel, pad: Kuamo's way for one recording."""
    return mel.of([trim_silence(read_audio(file, LIMITS).at(mel.sample_rate_hz))])[0]


def sound_ways(files: list[Path], mel: LogMel) -> list[Way]:
    """The ways to turn recordings into log-mel spectrograms."""
    return [
        ("librosa's loop", lambda: drain(sound_loop(files, mel))),
        ("Kuamo", lambda: drain(stream(partial(log_mel, mel=mel), files, threads=CORES))),
    ]


@dataclass(frozen=True)
class Speed:
    """What one way takes: `seconds` on the clock and `cpu_seconds` of all cores, each the least of a few rounds."""

    seconds: float
    cpu_seconds: float


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measure(ways: list[Way], rounds: int = 3) -> dict[str, Speed]:
    """Return what each way takes, the ways taking turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name, _ in ways}
    for _ in range(rounds):
        for name, run in ways:
            began, spent = time.perf_counter(), cpu_seconds()
            run()
            taken[name].append((time.perf_counter() - began, cpu_seconds() - spent))
    return {name: Speed(*map(min, zip(*times, strict=True))) for name, times in taken.items()}


def rows(what: str, unit: str, units: float, count: int, measured: dict[str, Speed]) -> None:
    """Print a line for each way: its rate, how many times the first one's that is, and its work for each item."""
    plain = next(iter(measured.values()))
    for name, speed in measured.items():
        rate, times, work = units / speed.seconds, plain.seconds / speed.seconds, speed.cpu_seconds / count * 1_000
        print(f"| {what} | {name} | {rate:,.0f} {unit} | {times:.1f} | {work:.1f} |", flush=True)


def main(pictures: int = 200, recordings: int = 100, source: Path = Path("../shared/data")) -> None:
    """Print the table."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    datasets.disable_progress_bars()
    print("| what | way | rate | times the loop | processor ms each |\n|---|---|---:|---:|---:|")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for what, size in SIZES.items():
            count = pictures if size[0] < 1_000 else max(4, pictures // 10)
            files = write_pictures(source, folder, size, count)
            rows(what, "pictures/s", count, count, measure(picture_ways(files, folder)))
        for label, mel in (("", LogMel()), (", librosa's own window (2048, 512)", LogMel(window=2_048, hop=512))):
            for what, kind in SOUNDS.items():
                files = write_sounds(source, folder, kind, recordings)
                rows(what + label, "h/h", recordings * kind[0], recordings, measure(sound_ways(files, mel)))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*map(int, given[:2]), *map(Path, given[2:]))
