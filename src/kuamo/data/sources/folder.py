"""The folder of a source: which files it has, and which file a row may name."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from kuamo.data.row import Dropped, Fault, Media, Place
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits


@dataclass(frozen=True)
class Folder:
    """A source folder, or with `file` that one file of it.

    Media come from below `root`, or from below the folders in `also`; a name that leads elsewhere, itself or by a
    link, is refused. `without` (the folder written to) is left out. `dropped` takes what walking could not use.
    All paths are absolute and real.
    """

    root: Path
    file: Path | None = None
    also: tuple[Path, ...] = ()
    without: Path | None = None
    limits: Limits = field(default_factory=Limits)
    dropped: list[Dropped] = field(default_factory=list)

    @classmethod
    def of(
        cls, source: Path, *, also: tuple[Path, ...] = (), without: Path | None = None, limits: Limits | None = None
    ) -> "Folder":
        """Return the folder of a source. Raises KuamoError no_source where there is nothing of that name."""
        for path in (source, *also):
            if not path.exists():
                raise KuamoError("no_source", name=path)
        real = source.resolve()
        return cls(
            root=real if real.is_dir() else real.parent,
            file=None if real.is_dir() else real,
            also=tuple(path.resolve() for path in also),
            without=without.resolve() if without else None,
            limits=limits or Limits(),
        )

    def files(self, *endings: str) -> Iterator[Path]:
        """Yield the files whose names end so (in any case), by name; without hidden ones and links to folders."""
        if self.file:
            yield from (self.file,) * self.file.name.lower().endswith(endings)
            return
        for place, folders, names in os.walk(self.root, onerror=self._drop):
            folders[:] = sorted(x for x in folders if not x.startswith(".") and Path(place, x) != self.without)
            for name in sorted(names):
                if name.startswith(".") or not name.lower().endswith(endings):
                    continue
                if self._is_text(place, name):
                    yield Path(place, name)

    def has(self, *endings: str) -> bool:
        """Whether there is a file whose name ends so."""
        return next(self.files(*endings), None) is not None

    def name(self, file: Path) -> str:
        """Return a file's path in the source, parts joined by /."""
        return self._name(str(file))

    def _name(self, file: str) -> str:
        inside = file.removeprefix(self._bases[0])
        return inside.replace(os.sep, "/") if file.startswith(self._bases[0]) else Path(file).as_posix()

    def media(self, name: str, near: Path) -> Media:
        """Return the media that a row names: by an absolute path, or from `near`, the root or one of `also`.

        The first that is there is taken; whether any is, reading it will show. Raises KuamoError outside_source.
        """
        if "\0" in name:
            raise KuamoError("outside_source", name=name.replace("\0", "\\0"))
        possible = [os.path.normpath(os.path.join(base, name)) for base in dict.fromkeys((str(near), *self._bases))]
        inside = [file for file in possible if self._contains(file)]
        if not inside:
            raise KuamoError("outside_source", name=name)
        file = next(filter(os.path.isfile, inside), inside[0])
        return Media(self._name(file), Path(file), limits=self.limits)

    @cached_property
    def _bases(self) -> tuple[str, ...]:
        return tuple(os.path.join(base, "") for base in (self.root, *self.also))

    def _contains(self, file: str) -> bool:
        parent, name = os.path.split(file)
        real = os.path.realpath(file) if os.path.islink(file) else os.path.join(_real(parent), name)
        return real.startswith(self._bases)

    def _is_text(self, place: str, name: str) -> bool:
        try:
            os.path.join(place, name).encode()
        except UnicodeEncodeError:
            shown = os.fsencode(self.name(Path(place, name))).decode(errors="backslashreplace")
            self.dropped.append(Dropped(Place(shown), Fault("name_not_text", {"name": shown})))
            return False
        return True

    def _drop(self, error: OSError) -> None:
        name = self.name(Path(error.filename))
        self.dropped.append(Dropped(Place(name), Fault("file_unreadable", {"name": name, "reason": error.strerror})))


@lru_cache(maxsize=1024)
def _real(folder: str) -> str:
    return os.path.realpath(folder)
