"""What was met before, of any number of rows: kept on disk, gone with the process."""

import sqlite3
from hashlib import sha256


class Ledger:
    """A register in which the first to claim a key keeps it; what is claimed after `mark` can be undone."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # "": a file of its own
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA journal_mode = MEMORY")
        self._database.execute("PRAGMA cache_size = -65536")  # 64 MB
        self._database.execute("CREATE TABLE claims (key BLOB PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def claim(self, what: str, key: str, holder: str) -> str | None:
        """Give a key of this sort to `holder`; return who has it already, None where it is `holder`'s now."""
        row = (_digest(what, key), holder)
        taken = self._database.execute("INSERT OR IGNORE INTO claims VALUES (?, ?)", row).rowcount
        return None if taken else self.holder(what, key)

    def holder(self, what: str, key: str) -> str | None:
        """Return who holds a key; None where nobody claimed it."""
        found = self._database.execute("SELECT holder FROM claims WHERE key = ?", (_digest(what, key),)).fetchone()
        return found[0] if found else None

    def mark(self) -> None:
        """Begin what `keep` or `undo` ends."""
        self._database.execute("SAVEPOINT mark")

    def keep(self) -> None:
        """Keep what was claimed since the mark."""
        self._database.execute("RELEASE mark")

    def undo(self) -> None:
        """Take back what was claimed since the mark."""
        self._database.execute("ROLLBACK TO mark")
        self._database.execute("RELEASE mark")

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def _digest(what: str, key: str) -> bytes:
    return sha256(f"{what}\0{key}".encode()).digest()[:16]
