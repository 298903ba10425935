"""Files that are whole or absent, however the process ends."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kuamo.errors import KuamoError

WORK = Path(".kuamo") / "set"  # in the folder that a data set is built in: what the next run needs
HALF = WORK / "half"  # files that are being written


@contextmanager
def whole(path: Path, out: Path, *, safe: bool = True) -> Iterator[IO[bytes]]:
    """Open a file below the folder `out` for writing; it takes its name when the block ends without an exception.

    A `safe` one is whole even after a loss of power, which costs some time. Raises KuamoError cannot_write.
    """
    half = out / HALF / secrets.token_hex(8)
    try:
        half.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with half.open("xb") as file:
            yield file
            file.flush()
            if safe:
                os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise KuamoError("cannot_write", name=path, reason=error.strerror or str(error)) from error
    finally:
        half.unlink(missing_ok=True)


def write(path: Path, data: bytes, out: Path, *, safe: bool = True) -> None:
    """Write a file below `out` as `whole` does."""
    with whole(path, out, safe=safe) as file:
        file.write(data)


def link(source: Path, path: Path, out: Path) -> None:
    """Give a finished file below `out` another name, without a second copy where the disk can."""
    half = out / HALF / secrets.token_hex(8)
    half.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, half)
    except OSError:  # not on this disk
        shutil.copyfile(source, half)
    half.replace(path)
    half.unlink(missing_ok=True)  # still there where both are names of one file already


def lines(paths: list[Path]) -> Iterator[bytes]:
    """Yield the lines of files, one after the other."""
    for path in paths:
        with path.open("rb") as file:
            yield from file


def prune(folder: Path, keep: Callable[[Path], bool]) -> None:
    """Delete every file below a folder that is not to keep, and folders left empty."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            if not keep(Path(place, name)):
                Path(place, name).unlink()
        if place != str(folder) and not os.listdir(place):
            Path(place).rmdir()
