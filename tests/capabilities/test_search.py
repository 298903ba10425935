"""A folder's index follows the folder, survives what kills its writer, and finds pictures by texts and pictures."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import colours
from colours import Colours, paint
from kuamo.capabilities import search
from kuamo.capabilities.picture_index import PLACE, TABLE, Maker, PictureIndex
from kuamo.capabilities.search import BATCH, IndexReport, find, index_folder
from kuamo.catalogue import Catalogue
from kuamo.errors import KuamoError
from kuamo.media.image import read_image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.sample import write_sample

TESTS = Path(__file__).parents[1]


@pytest.fixture
def models() -> Iterator[Models]:
    """The models, the made-up one that sees colours for embed."""
    built = colours.models()
    Colours.embedded.clear()
    yield built
    built.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one in a subfolder, with Chinese names."""
    paint(tmp_path / "红.png", "red")
    paint(tmp_path / "旅行 2024" / "it's green.jpg", "green")
    paint(tmp_path / "blue.WEBP", "blue")
    return tmp_path


def counts(report: IndexReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def names(folder: Path, query: str, models: Models, count: int = 12) -> list[str]:
    return [hit.path.relative_to(folder).as_posix() for hit in find(query, folder, models, count).hits]


def indexed(folder: Path) -> list[str]:
    return sorted(PictureIndex.of(folder).stamps())


def code(call: Callable[[], object]) -> str:
    with pytest.raises(KuamoError) as caught:
        call()
    return caught.value.code


# --- finding


def test_the_best_match_comes_first_in_both_languages(folder: Path, models: Models) -> None:
    report = index_folder(folder, models).result()
    assert counts(report) == (3, 0, 0, 0)
    assert [trace.model for trace in report.traces] == ["colours"]
    for query, first in (("green", "旅行 2024/it's green.jpg"), ("红色", "红.png"), (" blue\n", "blue.WEBP")):
        assert names(folder, query, models)[0] == first
        assert len(names(folder, query, models)) == 3
    found = find("red", folder, models, count=2)
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)
    assert found.hits[0].score == pytest.approx(1, abs=1e-3)
    assert found.hits[1].score < 0.5
    assert (found.hits[0].path, found.hits[0].width, found.hits[0].height) == (folder / "红.png", 8, 6)
    assert found.traces[0].capability == "embed"


def test_a_picture_finds_itself_with_a_real_model(
    tmp_path: Path, data: Path, checkpoint: Callable[[str], Path]
) -> None:
    models = Models(Catalogue.load(), Settings(models={"embed": str(checkpoint("clip"))}))
    for file in sorted((data / "images").iterdir())[:6]:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    report = index_folder(tmp_path, models).result()
    assert report.added + len(report.dropped) > 3
    for path in indexed(tmp_path):
        best = find(read_image(tmp_path / path, Limits()), tmp_path, models, 1).hits[0]
        assert best.score == pytest.approx(1, abs=1e-4)
    assert len(find("一只猫 and a dog", tmp_path, models).hits) == report.added
    models.close()


def test_deleted_files_and_links_to_elsewhere_are_not_found(folder: Path, models: Models) -> None:
    outside = folder.parent / f"{folder.name}-outside.png"
    paint(outside, "red")
    index_folder(folder, models).result()
    (folder / "红.png").unlink()
    assert names(folder, "red", models, 2) == names(folder, "red", models)
    assert set(names(folder, "red", models)) == {"blue.WEBP", "旅行 2024/it's green.jpg"}
    (folder / "红.png").symlink_to(outside)
    assert "红.png" not in names(folder, "red", models)


def test_of_many_pictures_as_many_are_found_as_are_asked_for(tmp_path: Path, models: Models) -> None:
    for number in range(30):
        paint(tmp_path / f"{number:02}.png", (200, number, 0))
    index_folder(tmp_path, models).result()
    for number in range(25):
        (tmp_path / f"{number:02}.png").unlink()
    left = names(tmp_path, "red", models, 9)
    assert sorted(left) == [f"{number}.png" for number in range(25, 30)]
    assert names(tmp_path, "red", models, 4) == left[:4]


def test_bad_questions_say_what_is_wrong(folder: Path, models: Models) -> None:
    assert code(lambda: find("red", folder, models)) == "no_index"
    assert not (folder / ".kuamo").exists()  # searching writes nothing
    index_folder(folder, models).result()
    for query, wrong in ((" \n", "text_empty"), ("红" * 30_000, "text_too_long")):
        assert code(lambda query=query: find(query, folder, models)) == wrong
    assert code(lambda: find("red", folder, models, 0)) == "out_of_range"
    assert code(lambda: find("red", folder / "nowhere", models)) == "no_folder"
    assert code(lambda: find("red", folder / "红.png", models)) == "no_folder"


def test_a_model_that_reads_no_chinese_is_not_asked_in_it(folder: Path) -> None:
    english = colours.models(languages=["en"])
    index_folder(folder, english).result()
    assert names(folder, "red", english)[0] == "红.png"
    # the profile has no model that speaks it; the operator's own choice does not speak it
    chosen = Models(english.catalogue, Settings(models={"embed": "colours"}))
    assert code(lambda: find("红色", folder, chosen)) == "language_not_read"
    assert code(lambda: find("红色", folder, english)) in ("no_model_for_language", "index_of_another_model")


# --- following the folder


def test_only_what_is_new_or_changed_is_embedded(folder: Path, models: Models) -> None:
    index_folder(folder, models).result()
    assert Colours.embedded == [3]
    again = index_folder(folder, models).result()
    assert counts(again) == (0, 0, 0, 3)
    assert again.traces == ()
    assert Colours.embedded == [3]
    paint(folder / "new.png", (250, 250, 0))
    paint(folder / "红.png", "blue", (80, 60))
    (folder / "blue.WEBP").unlink()
    assert counts(index_folder(folder, models).result()) == (1, 1, 1, 1)
    assert Colours.embedded == [3, 2]
    assert names(folder, "blue", models, 1) == ["红.png"]


def test_a_changed_time_is_a_change(folder: Path, models: Models) -> None:
    index_folder(folder, models).result()
    os.utime(folder / "红.png", ns=(1, 1))
    assert counts(index_folder(folder, models).result()) == (0, 1, 0, 2)
    assert len(indexed(folder)) == 3


def test_progress_counts_to_the_end_in_batches(tmp_path: Path, models: Models) -> None:
    for number in range(BATCH + 5):
        paint(tmp_path / f"{number:03}.bmp", (number, 200, 0), (2, 2))
    stream = index_folder(tmp_path, models)
    pieces = list(stream)
    assert [piece.done for piece in pieces] == list(range(1, BATCH + 6))
    assert {piece.total for piece in pieces} == {BATCH + 5}
    assert Colours.embedded == [BATCH, 5]


def test_large_pictures_are_taken_a_few_at_a_time(
    tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BATCH_MEGAPIXELS", 0.1)
    for number in range(5):
        paint(tmp_path / f"{number}.png", (200, number, 0), (200, 200))
    index_folder(tmp_path, models).result()
    assert Colours.embedded == [3, 2]


Change = tuple[str, str]


@hypothesis_settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["猫.png", "a/b.png", "a/c'd.png", "日 本.gif"]),
            st.sampled_from(["red", "green", "blue", "delete", "break"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_index_is_what_the_folder_is(tmp_path_factory: pytest.TempPathFactory, changes: list[Change]) -> None:
    folder, models = tmp_path_factory.mktemp("pictures"), colours.models()
    paint(folder / "first.png", (250, 250, 0))
    now: dict[str, str] = {}
    for time, (name, change) in enumerate(changes, 1):
        if change == "delete":
            (folder / name).unlink(missing_ok=True)
            now.pop(name, None)
        else:
            paint(folder / name, change if change != "break" else "red")
            now[name] = change
            if change == "break":
                (folder / name).write_bytes((folder / name).read_bytes()[:20])
            os.utime(folder / name, ns=(time, time))
        report = index_folder(folder, models).result()
        assert {one.path for one in report.dropped} == {path for path, is_ in now.items() if is_ == "break"}
        whole = {path: colour for path, colour in now.items() if colour != "break"}
        assert indexed(folder) == sorted(["first.png", *whole])
        for colour in set(whole.values()):
            best = set(names(folder, colour, models, list(whole.values()).count(colour)))
            assert best == {path for path in whole if whole[path] == colour}


def test_odd_files_are_named_and_the_others_indexed(folder: Path, models: Models) -> None:
    whole = (folder / "红.png").read_bytes()
    (folder / "text.png").write_text("not a picture")
    (folder / "cut.png").write_bytes(whole[:-30])
    (folder / "empty.jpg").touch()
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    Path(os.fsdecode(os.fsencode(folder) + b"/gbk\xc3\xa8\xff.png")).write_bytes(whole)
    with (folder / "vast.png").open("wb") as file:
        file.truncate(101_000_000)
    PIL.Image.new("1", (8000, 7000)).save(folder / "huge.png")
    (folder / "notes.txt").write_text("no picture by its name: nothing to say about it")
    report = index_folder(folder, models).result()
    assert counts(report) == (3, 0, 0, 0)
    assert {one.path: one.fault.code for one in report.dropped} == {
        "text.png": "not_an_image",
        "cut.png": "image_damaged",
        "empty.jpg": "file_empty",
        "pipe.png": "file_not_found",
        "gbkè\\xff.png": "name_not_text",
        "vast.png": "file_too_large",
        "huge.png": "image_too_large",
    }


def test_hidden_files_links_and_other_indexes_are_left_out(folder: Path, models: Models) -> None:
    paint(folder / ".hidden" / "a.png", "red")
    paint(folder / "._红.png", "red")
    outside = folder.parent / f"{folder.name}-elsewhere"
    paint(outside / "b.png", "red")
    (folder / "link.png").symlink_to(outside / "b.png")
    (folder / "linked").symlink_to(outside, target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    assert counts(index_folder(folder, models).result()) == (3, 0, 0, 0)
    alias = folder.parent / f"{folder.name}-alias"
    alias.symlink_to(folder, target_is_directory=True)  # the folder itself may be named by a link
    assert counts(index_folder(alias, models).result()) == (0, 0, 0, 3)
    assert len(find("red", alias, models).hits) == 3


def test_a_folder_without_pictures_is_told_but_one_that_lost_them_is_not(tmp_path: Path, models: Models) -> None:
    assert code(lambda: index_folder(tmp_path / "nowhere", models)) == "no_folder"
    assert code(lambda: index_folder(tmp_path, models)) == "no_pictures"
    assert code(lambda: find("red", tmp_path, models)) == "no_index"
    paint(tmp_path / "a.png", "red")
    index_folder(tmp_path, models).result()
    (tmp_path / "a.png").unlink()
    assert counts(index_folder(tmp_path, models).result()) == (0, 0, 1, 0)
    assert find("red", tmp_path, models).hits == ()


# --- another model


def test_another_model_or_revision_begins_anew(folder: Path, models: Models) -> None:
    index_folder(folder, models).result()
    newer = colours.models(revision="2")
    with pytest.raises(KuamoError) as caught:
        find("red", folder, newer)
    assert caught.value.code == "index_of_another_model"
    assert "made by colours@1; the model in force is colours@2" in caught.value.line("en")
    assert "kuamo index" in caught.value.line("zh")
    (folder / "blue.WEBP").unlink()
    report = index_folder(folder, newer).result()
    assert counts(report) == (2, 0, 0, 0)
    assert report.former == Maker("colours", "1")
    assert names(folder, "red", newer)[0] == "红.png"
    assert code(lambda: find("red", folder, models)) == "index_of_another_model"


def test_a_checkpoint_trained_further_in_its_place_is_another(folder: Path, checkpoint: Callable[[str], Path]) -> None:
    import shutil

    own = shutil.copytree(checkpoint("clip"), folder / "my-clip")
    models = Models(Catalogue.load(), Settings(models={"embed": str(own)}))
    index_folder(folder, models).result()
    assert index_folder(folder, models).result().former is None
    os.utime(own / "model.safetensors", ns=(7, 7))
    assert code(lambda: find("red", folder, models)) == "index_of_another_model"
    assert index_folder(folder, models).result().added == 3
    models.close()


# --- several at once, and sudden ends


WRITER = """
import sys
from pathlib import Path
import colours
from kuamo.capabilities.search import index_folder
for piece in index_folder(Path(sys.argv[1]), colours.models()):
    print(piece.path, flush=True)
"""


def writer(folder: Path) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_what_was_done_before_a_kill_stays_and_the_next_run_goes_on(tmp_path: Path, models: Models) -> None:
    random = Random(3)
    total = 4 * BATCH + 10
    for number in range(total):
        paint(tmp_path / f"图 {number:03}.png", (number % 256, random.randrange(256), 9), (3, 3))
    done = 0
    for _ in range(3):
        with writer(tmp_path) as run:
            assert run.stdout
            told = [run.stdout.readline().strip() for _ in range(random.randrange(1, BATCH + 9))]
            os.kill(run.pid, signal.SIGKILL)
        kept = indexed(tmp_path)
        assert set(told) <= set(kept)
        assert len(kept) == len(set(kept)) >= done + len(told)
        assert len(find("red", tmp_path, models, total).hits) == len(kept)
        done = len(kept)
    assert done < total
    assert counts(index_folder(tmp_path, models).result()) == (total - done, 0, 0, done)
    assert len(indexed(tmp_path)) == len(find("red", tmp_path, models, total).hits) == total


def test_a_second_indexer_is_told_and_searching_goes_on(tmp_path: Path, models: Models) -> None:
    for number in range(BATCH + 1):
        paint(tmp_path / f"{number}.png", (number, 200, 0), (2, 2))
    first = index_folder(tmp_path, models)
    assert code(lambda: index_folder(tmp_path, models)) == "index_in_use"
    with writer(tmp_path) as other:
        assert other.stderr
        assert "is being indexed already" in other.stderr.read()
    assert len(find("green", tmp_path, models, 1000).hits) == BATCH
    assert counts(first.result()) == (BATCH + 1, 0, 0, 0)
    assert counts(index_folder(tmp_path, models).result()) == (0, 0, 0, BATCH + 1)


def test_a_stream_closed_early_lets_the_next_one_in(tmp_path: Path, models: Models) -> None:
    for number in range(BATCH + 1):
        paint(tmp_path / f"{number}.png", (number, 200, 0), (2, 2))
    index_folder(tmp_path, models).close()
    assert counts(index_folder(tmp_path, models).result()) == (1, 0, 0, BATCH)


def test_a_damaged_index_says_what_to_do(folder: Path, models: Models) -> None:
    index_folder(folder, models).result()
    for part in (folder / PLACE / f"{TABLE}.lance" / "data").iterdir():
        part.write_bytes(b"nonsense" * 9)
    with pytest.raises(KuamoError) as caught:
        find("red", folder, models)
    assert caught.value.code == "index_unusable"
    assert "rm -r" in caught.value.line("en")
    assert "\n" not in caught.value.line("en")
    assert code(lambda: index_folder(folder, models)) == "index_unusable"


def test_a_folder_that_cannot_be_written_is_told(folder: Path, models: Models) -> None:
    (folder / ".kuamo").write_text("in the way")
    assert code(lambda: index_folder(folder, models)) == "cannot_write"


# --- meaning


def nano_clip() -> bool:
    return any(model.name == "nano-clip" for model in Catalogue.load().models)


@pytest.mark.skipif(not nano_clip(), reason="nano-clip is not in the catalogue")
@pytest.mark.parametrize(("query", "kind", "colour"), [("橘猫", "cat", "orange"), ("a red sports car", "car", "red")])
def test_pictures_of_the_small_world_are_found_by_what_they_show(
    query: str, kind: str, colour: str, tmp_path: Path
) -> None:
    models = Models(Catalogue.load(), Settings())
    for _ in write_sample(400, 11, tmp_path):
        pass
    (tmp_path / "contact_sheet.png").unlink()
    index_folder(tmp_path, models).result()
    rows = map(json.loads, (tmp_path / "metadata.jsonl").read_text(encoding="utf-8").splitlines())
    things = {row["file_name"]: row["scene"]["things"] for row in rows}
    holding = {
        name for name, there in things.items() if any((one["kind"], one["colour"]) == (kind, colour) for one in there)
    }
    assert 3 <= len(holding) < 100
    (best,) = find(query, tmp_path, models, 1).hits
    assert best.path.name in holding
    models.close()
