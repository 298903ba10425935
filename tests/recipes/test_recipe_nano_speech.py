"""The recipes of speech run from sound to card, resume, and write checkpoints that Kuamo's engines run."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from safetensors.numpy import load_file

from kuamo.contracts import AlignRequest, TranscribeRequest, Word
from kuamo.engines.align.ctc import Ctc
from kuamo.engines.transcribe.whisper import Whisper
from kuamo.engines.words import split_words
from kuamo.world.speech import utterance

RECIPES = Path(__file__).parents[2] / "recipes"
TOY = {
    "nano_whisper": """
from pathlib import Path
import torch
from nano_whisper import Hearing, Recordings, train, write
torch.set_num_threads(1)  # the last digits of a sum depend on how many share it
folder = Path({folder!r})
recordings = Recordings("train", 24, Path({sound!r}))
task = Hearing(recordings, width=64, layers=(1, 2), batch=2, vocabulary=400, sentences=60, heard=2)
train(folder, task, steps=6, rate=2e-3, warm_up=2, every=1, scored=6)
write(task, folder / "out", folder)
""",
    "nano_ctc": """
from pathlib import Path
import torch
from nano_ctc import Frames, Recordings, train, write
torch.set_num_threads(1)
folder = Path({folder!r})
task = Frames(Recordings("train", 24, Path({sound!r})), width=64, layers=1, batch=3, sentences=200, heard=2)
train(folder, task, steps=6, rate=2e-3, warm_up=2, every=1, scored=6)
write(task, folder / "out", folder)
""",
}


def run(recipe: str, folder: Path, sound: Path, killed: int | None = None) -> None:
    """Run a recipe at toy scale, its recordings in `sound`; where `killed`, it dies as that step begins."""
    code = TOY[recipe].format(folder=str(folder), sound=str(sound))
    if killed is not None:
        kind = "Hearing" if recipe == "nano_whisper" else "Frames"
        death = f"inner = {kind}.forward\n{kind}.forward = lambda self, step: "
        death += f"__import__('os')._exit(9) if step == {killed} else inner(self, step)\n"
        code = code.replace("torch.set_num_threads(1)", death + "torch.set_num_threads(1)", 1)
    environment = {"PYTHONPATH": str(RECIPES), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == (0 if killed is None else 9), done.stderr


@pytest.fixture(scope="module", params=["nano_whisper", "nano_ctc"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A recipe and the folder where it ran in one go."""
    folder = tmp_path_factory.mktemp(request.param)
    run(request.param, folder, folder)
    return request.param, folder


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module under test."""
    monkeypatch.syspath_prepend(str(RECIPES))
    for name in ("training", "recordings"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import recordings

    return recordings


def test_killed_and_started_again_it_ends_with_the_same_weights(trained: tuple[str, Path], tmp_path: Path) -> None:
    recipe, folder = trained
    run(recipe, tmp_path, folder, killed=3)
    assert not (tmp_path / "out" / "model.safetensors").exists()
    run(recipe, tmp_path, folder)
    one, other = (load_file(place / "out" / "model.safetensors") for place in (folder, tmp_path))
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)


def test_its_loss_falls_and_it_is_watched(trained: tuple[str, Path]) -> None:
    _, folder = trained
    rows = [json.loads(line) for line in (folder / "curves.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 7))
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert len(rows[-1]) >= 4
    assert "<!-- scores" in (folder / "out" / "README.md").read_text(encoding="utf-8")


def test_what_it_writes_runs_in_kuamos_engine(trained: tuple[str, Path]) -> None:
    recipe, folder = trained
    spoken = utterance(3, "held_out")
    if recipe == "nano_whisper":
        engine = Whisper.load(str(folder / "out"), device="cpu", precision="auto")
        request = TranscribeRequest(audio=spoken.audio)
        assert engine.identify(request) in ("en", "zh")
        for segment in engine.transcribe(request):
            assert 0 <= segment.start_seconds < segment.end_seconds <= spoken.audio.seconds + 0.02
    else:
        aligner = Ctc.load(str(folder / "out"), device="cpu", precision="auto")
        words = aligner.align(AlignRequest(audio=spoken.audio, text=spoken.text, language=spoken.language))
        assert [word.text for word in words] == split_words(spoken.text)


def test_recordings_go_on_where_they_were_cut(recordings: ModuleType, tmp_path: Path) -> None:
    recordings.CHUNK = 4
    whole = recordings.Recordings("train", 10, tmp_path / "whole")
    for file in (tmp_path / "whole").iterdir():
        cut = tmp_path / "cut" / file.name
        cut.parent.mkdir(exist_ok=True)
        cut.write_bytes(file.read_bytes()[: int(file.stat().st_size * 0.7)])
    again = recordings.Recordings("train", 10, tmp_path / "cut")
    assert [row.text for row in again.rows] == [row.text for row in whole.rows]
    assert again.rows[:4] == whole.rows[:4]  # the rest is spoken anew, which is never the same to the last sample
    end = again.rows[-1].first + again.rows[-1].count
    assert len(again.samples) == end
    assert recordings.Recordings("train", 10, tmp_path / "cut").rows == again.rows
    spoken, kept = utterance(9, "train"), again.utterance(again.rows[9])
    assert (kept.text, [word.text for word in kept.words]) == (spoken.text, [word.text for word in spoken.words])
    assert len(kept.audio.samples) == pytest.approx(len(spoken.audio.samples), abs=100)


def test_frames_have_the_labels_of_what_is_spoken_in_them(recordings: ModuleType) -> None:
    ids = {
        letter: place for place, letter in enumerate([recordings.BLANK, recordings.UNKNOWN, recordings.GAP, *"abc好"])
    }

    def labelled(frames: int, *words: tuple[float, float, str]) -> str:
        labels = recordings.labels_of_frames([Word(*word) for word in words], ids, frames)
        return "".join("_?|abc好"[label] for label in labels)

    assert labelled(8, (0.04, 0.12, "ab")) == "__aabb__"
    assert labelled(8, (0.04, 0.12, "Ab,")) == "__aabb__"
    assert labelled(9, (0.04, 0.08, "a"), (0.08, 0.16, "c")) == "__aa|ccc_"
    assert labelled(9, (0.0, 0.04, "a"), (0.12, 0.16, "c")) == "aa||||cc_"
    assert labelled(8, (0.0, 0.16, "bb")) == "bbbb_bbb"
    assert labelled(6, (0.0, 0.04, "好"), (0.04, 0.08, "z")) == "好好??__"
    assert labelled(3, (0.0, 0.2, "ab")) == "aab"
    assert labelled(2) == "__"


@pytest.mark.parametrize(
    ("heard", "said", "wrong"),
    [
        ("What colour is the cat?", "what colour is the cat", (0, 5)),
        ("What color is cat", "What colour is the cat?", (2, 5)),
        ("", "你好。", (2, 2)),
        ("你很好", "你好", (1, 2)),
    ],
)
def test_errors_are_counted_by_word_or_character(
    recordings: ModuleType, heard: str, said: str, wrong: tuple[int, int]
) -> None:
    assert recordings.errors(heard, said) == wrong
