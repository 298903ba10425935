"""Pictures of a folder found by a text or another picture: the nearest in the space that an `embed` model gives both.

Retrieval as in CLIP (Radford et al. 2021): texts and pictures become unit vectors, the cosine says how well they fit.
"""

import hashlib
import os
import shlex
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import PIL.Image

from kuamo.capabilities.embed import embed
from kuamo.capabilities.picture_index import Entry, Hit, Maker, PictureIndex, Stamp
from kuamo.catalogue import Model
from kuamo.contracts import EmbedRequest, Trace, within
from kuamo.errors import KuamoError
from kuamo.media.image import FORMATS, Image, read_image
from kuamo.media.limits import Limits
from kuamo.media.text import clean_text, is_chinese
from kuamo.runtime import Models
from kuamo.stream import Stream

BATCH = 64  # pictures that are embedded and written together
BATCH_MEGAPIXELS = 100.0  # fewer, where they are large: 300 MB of pixels in memory
MOST = 1000  # hits

Batch = list[tuple[str, Image | None]]  # path in the folder, picture; None where it was dropped


@dataclass(frozen=True)
class Indexed:
    """A picture that is done, whether it is in the index now or was dropped: the `done`-th of `total`."""

    path: str
    done: int
    total: int


@dataclass(frozen=True)
class Dropped:
    """A file or subfolder that could not be used, by its path in the folder, and why."""

    path: str
    fault: KuamoError


@dataclass(frozen=True)
class IndexReport:
    """How many pictures came, changed, went and stayed. `former` made the vectors that were all replaced, if any."""

    added: int
    changed: int
    removed: int
    unchanged: int
    dropped: tuple[Dropped, ...]
    former: Maker | None
    traces: tuple[Trace, ...]


@dataclass(frozen=True)
class Found:
    """The pictures found, best first."""

    hits: tuple[Hit, ...]
    traces: tuple[Trace, ...]


@cache
def endings() -> frozenset[str]:
    """Return how the names of picture files end, in lower case: .jpg, .png, .webp …"""
    return frozenset(ending for ending, kind in PIL.Image.registered_extensions().items() if kind in FORMATS)


# --- index


def index_folder(folder: Path, models: Models) -> Stream[Indexed, IndexReport]:
    """Bring a folder's index up to date: new, changed and deleted pictures only; each as it is done, then the report.

    A changed picture is one whose size or time differs. What was told as done stays, also when the process is killed;
    the next run goes on from there. Another model in force than the one that made the index begins it anew. Hidden
    folders and files and symbolic links are left out. A picture that cannot be read is dropped and named.
    Raises KuamoError no_folder, no_pictures, what `PictureIndex.writing` raises, or what the model raises.
    """
    return Stream(_index(folder, models))


def _index(folder: Path, models: Models) -> Generator[Indexed, None, IndexReport]:
    with PictureIndex.writing(folder) as index:
        maker, former = _maker(models.choose("embed", EmbedRequest())), index.maker
        known = index.stamps() if former == maker else {}
        dropped: list[Dropped] = []
        found = dict(_pictures(folder, dropped))
        if not found and not known and not dropped:
            raise KuamoError("no_pictures", name=folder)
        wanted = {path: stamp for path, stamp in found.items() if known.get(path) != stamp}
        stale = [path for path in known if path in wanted or path not in found]
        index.remove(stale)
        traces: list[Trace] = []
        done = 0
        for batch in _batches(folder, wanted, models.settings.limits, dropped):
            traces += _add(batch, wanted, index, maker, models)
            for path, _ in batch:
                done += 1
                yield Indexed(path, done, len(wanted))
        if wanted or stale:
            index.tidy()
        written = wanted.keys() - {one.path for one in dropped}
        return IndexReport(
            added=len(written - known.keys()),
            changed=len(written & known.keys()),
            removed=len(known.keys() - found.keys() | (known.keys() & wanted.keys() - written)),
            unchanged=len(found) - len(wanted),
            dropped=tuple(dropped),
            former=former if written and former != maker else None,
            traces=_summed(traces),
        )


def _add(
    batch: Batch, stamps: dict[str, Stamp], index: PictureIndex, maker: Maker, models: Models
) -> tuple[Trace, ...]:
    """Embed and write what could be read of a batch; between batches the model is free for others."""
    pictures = [(path, image) for path, image in batch if image]
    if not pictures:
        return ()
    embedding = embed(EmbedRequest(images=tuple(image for _, image in pictures)), models)
    entries = [
        Entry(path, stamps[path], image.width, image.height, vector)
        for (path, image), vector in zip(pictures, embedding.vectors, strict=True)
    ]
    index.add(entries, maker)
    return embedding.traces


def _summed(traces: list[Trace]) -> tuple[Trace, ...]:
    return (replace(traces[0], seconds=round(sum(trace.seconds for trace in traces), 3)),) if traces else ()


def _batches(folder: Path, paths: dict[str, Stamp], limits: Limits, dropped: list[Dropped]) -> Iterator[Batch]:
    batch: Batch = []
    megapixels = 0.0
    for path in paths:
        image = _read(folder, path, limits, dropped)
        batch.append((path, image))
        megapixels += image.width * image.height / 1e6 if image else 0
        if len(batch) == BATCH or megapixels >= BATCH_MEGAPIXELS:
            yield batch
            batch, megapixels = [], 0.0
    if batch:
        yield batch


def _read(folder: Path, path: str, limits: Limits, dropped: list[Dropped]) -> Image | None:
    try:
        return read_image(folder / path, limits)
    except KuamoError as error:
        dropped.append(Dropped(path, error))
        return None


def _pictures(folder: Path, dropped: list[Dropped]) -> Iterator[tuple[str, Stamp]]:
    """Yield the picture files below a folder, known by their endings, with their stamps."""

    def drop(error: OSError) -> None:
        path = Path(error.filename).relative_to(folder).as_posix()
        fault = KuamoError("file_unreadable", name=path, reason=error.strerror)
        dropped.append(Dropped(path, fault))

    for place, folders, files in os.walk(folder, onerror=drop):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(place, name)
            if name.startswith(".") or file.suffix.lower() not in endings() or file.is_symlink():
                continue
            path = file.relative_to(folder).as_posix()
            try:
                path.encode()
                status = file.stat()
                yield path, Stamp(status.st_size, status.st_mtime_ns)
            except UnicodeEncodeError:
                path = os.fsencode(path).decode(errors="backslashreplace")
                dropped.append(Dropped(path, KuamoError("name_not_text", name=path)))
            except OSError as error:  # deleted a moment ago, or not permitted
                drop(error)


def _maker(model: Model) -> Maker:
    """Return what an index records of a model. A checkpoint folder may be trained on: its files are its revision."""
    weights = sorted(Path(model.source).glob("*.safetensors")) if Path(model.source).is_dir() else []
    if not weights:
        return Maker(model.name, model.revision)
    stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in weights]
    return Maker(model.name, hashlib.sha256(repr(stamps).encode()).hexdigest()[:12])


# --- find


def find(query: str | Image, folder: Path, models: Models, count: int = 12) -> Found:
    """Return at most `count` pictures (1 to 1000) of an indexed folder, those that fit a text or a picture best first.

    Pictures deleted since, or replaced by a link that leads out of the folder, are left out.
    Raises KuamoError no_folder, no_index, index_of_another_model, index_unusable, language_not_read, out_of_range,
    text_empty, text_too_long, or what the model raises.
    """
    within("count", count, 1, MOST)
    request = _request(query, models.settings.limits)
    index = PictureIndex.of(folder)
    model = models.choose("embed", request)
    _check_fit(model, request, index, folder)
    embedding = embed(request, models)
    asked = count
    while True:
        nearest = index.nearest(embedding.vectors[0], asked)
        hits = [hit for hit in nearest if _is_in(hit.path, folder)]
        if len(hits) >= count or len(nearest) < asked:
            return Found(tuple(hits[:count]), embedding.traces)
        asked *= 4


def _request(query: str | Image, limits: Limits) -> EmbedRequest:
    if isinstance(query, Image):
        return EmbedRequest(images=(query,))
    text = clean_text(query, limits)
    return EmbedRequest(texts=(text,), language="zh" if is_chinese(text) else None)


def _check_fit(model: Model, request: EmbedRequest, index: PictureIndex, folder: Path) -> None:
    maker = _maker(model)
    if index.maker is not None and index.maker != maker:
        raise KuamoError(
            "index_of_another_model", name=folder, made_by=index.maker, in_force=maker,
            folder=shlex.quote(str(folder)), model=shlex.quote(model.name),
        )  # fmt: skip
    if not model.speaks(request.language):
        raise KuamoError("language_not_read", name=model.name, language=request.language)


def _is_in(file: Path, folder: Path) -> bool:
    """Whether a picture of the index is still a file of the folder, and not a link to elsewhere."""
    real = file.resolve()
    return real == folder.resolve() / file.relative_to(folder) and real.is_file()
