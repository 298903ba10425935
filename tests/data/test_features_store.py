"""Features are kept by content and settings, survive a killed process, and take bounded room."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from kuamo.data.features.store import FeatureStore
from kuamo.data.features.stream import AHEAD, stream, stream_features
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits

SETTINGS = {"edge": 224}


def array(value: float, size: int = 1_000) -> np.ndarray:
    return np.full(size, value, np.float32)


def never() -> np.ndarray:
    raise AssertionError("it was kept")


def test_what_was_computed_is_kept_for_the_next_time(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, SETTINGS)
    store.features(b"a", lambda: array(1).reshape(10, 100))
    store.close()
    again = FeatureStore(tmp_path, SETTINGS).features(b"a", never)
    np.testing.assert_array_equal(again, array(1).reshape(10, 100))


def test_other_content_and_other_settings_are_computed_anew(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, SETTINGS)
    store.features(b"a", lambda: array(1))
    assert store.features(b"b", lambda: array(2))[0] == 2
    assert FeatureStore(tmp_path, {"edge": 336}).features(b"a", lambda: array(3))[0] == 3
    assert store.features(b"a", never)[0] == 1


def test_a_full_store_keeps_what_it_has_and_takes_no_more(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, SETTINGS, megabytes=1)
    for number in range(50):
        store.features(b"%d" % number, lambda number=number: array(number, 10_000))
    assert store.features(b"0", never)[0] == 0
    assert store.features(b"49", lambda: array(-1))[0] == -1
    store.close()
    assert sum(file.stat().st_size for file in tmp_path.glob("*.sqlite")) <= 1.1e6


def test_settings_no_longer_used_make_room(tmp_path: Path) -> None:
    for edge in range(4):
        store = FeatureStore(tmp_path, {"edge": edge}, megabytes=1)
        for number in range(20):
            store.features(b"%d" % number, lambda: array(0, 10_000))
        store.close()
        os.utime(max(tmp_path.glob("*.sqlite"), key=lambda file: file.stat().st_mtime), (edge, edge))
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1.1e6
    assert FeatureStore(tmp_path, {"edge": 3}, megabytes=1).features(b"0", never)[0] == 0


WRITER = """
import sys, numpy as np
from pathlib import Path
from kuamo.data.features.store import FeatureStore
store = FeatureStore(Path(sys.argv[1]), {"edge": 224})
for number in range(10**6):
    store.features(b"%d" % number, lambda: np.full(50_000, number, np.float32))
    print(number, flush=True)
"""


def test_a_process_killed_while_it_writes_leaves_whole_arrays(tmp_path: Path) -> None:
    for kill_after in (1, 5, 9):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        done = [int(process.stdout.readline()) for _ in range(kill_after)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        store = FeatureStore(tmp_path, SETTINGS)
        for number in done:
            kept = store.features(b"%d" % number, never)
            assert kept.shape == (50_000,)
            assert (kept == number).all()
        store.close()


class Length:
    """The length of a file; an empty one is a fault."""

    def __init__(self) -> None:
        self.computed = 0

    def read(self, data: bytes, limits: Limits, name: str | None = None) -> np.ndarray:
        """Return the length."""
        if not data:
            raise KuamoError("file_empty", name="x")
        self.computed += 1
        return array(len(data), 1)


def test_a_stream_goes_on_past_faults_in_order_and_reads_from_the_store(tmp_path: Path) -> None:
    contents = [b"x" * number for number in range(30)]
    feature, store = Length(), FeatureStore(tmp_path, SETTINGS)
    files = [lambda content=content: content for content in contents]
    made = list(stream_features(files, feature, Limits(), store, threads=3))
    assert isinstance(made[0], KuamoError)
    assert [int(one[0]) for one in made[1:]] == list(range(1, 30))
    assert len(list(stream_features(files, feature, Limits(), store, threads=3))) == 30
    assert feature.computed == 29


def test_a_stream_takes_only_what_it_has_room_for() -> None:
    taken = count()

    def endless() -> Iterator[int]:
        while True:
            yield next(taken)

    numbers = stream(lambda number: number, endless(), threads=2)
    assert [next(numbers) for _ in range(100)] == list(range(100))
    assert next(taken) <= 100 + AHEAD * 2
    numbers.close()


def test_our_own_mistakes_stay_loud() -> None:
    with pytest.raises(ZeroDivisionError):
        list(stream(lambda number: 1 / number, [1, 0], threads=1))
