"""Features kept between runs, by content and settings, in files of bounded size."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save


class FeatureStore:
    """Arrays of one kind of feature by the content they were made of: an SQLite file in `folder` for each settings.

    Other settings are another file, so that nothing stale is ever given. An array is there whole or not at all,
    however the process ended; threads and processes may share the folder. `megabytes` bounds the folder: the files
    of other settings leave, those written longest ago first, until they take half of it at most. A full file takes no
    more and keeps what it has, which serves passes over a large set better than making room would.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], megabytes: float = 4_000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{_digest(json.dumps(settings, sort_keys=True).encode()).hex()[:32]}.sqlite"
        self._limit = megabytes * 1e6 - _tidy(folder, file, megabytes * 1e6)
        self._lock = Lock()
        self._database = sqlite3.connect(file, timeout=60, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")  # a write is whole or absent; readers do not wait
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS feature (content BLOB PRIMARY KEY, data BLOB NOT NULL)")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def features(self, content: bytes, compute: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the features of a content: those kept, else what `compute` returns, which is kept from now on."""
        key = _digest(content)
        with self._lock:
            found = self._database.execute("SELECT data FROM feature WHERE content = ?", (key,)).fetchone()
        if found is not None:
            return load(found[0])["features"]
        made = compute()
        self._keep(key, save({"features": np.ascontiguousarray(made)}))
        return made

    def _keep(self, key: bytes, data: bytes) -> None:
        with self._lock:
            if self._bytes() + len(data) <= self._limit:
                self._database.execute("INSERT OR IGNORE INTO feature VALUES (?, ?)", (key, data))

    def _bytes(self) -> int:
        pages, size = (self._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages * size)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32).digest()


def _tidy(folder: Path, own: Path, limit: float) -> int:
    """Delete files of other settings, oldest first, while they take more than half the limit; return their bytes."""
    others = sorted((file for file in folder.glob("*.sqlite") if file != own), key=lambda file: file.stat().st_mtime)
    sizes = {file: file.stat().st_size for file in others}
    while sum(sizes.values()) > limit / 2:
        oldest = others.pop(0)
        for file in (oldest, *folder.glob(f"{oldest.name}-*")):
            file.unlink(missing_ok=True)
        del sizes[oldest]
    return sum(sizes.values())
