"""A data set from a source: rows are read, examined, judged, split and written, all in one pass and in order.

What was examined and written is kept, by content, below the result: a run that was killed goes on where it was, and
one with a changed source does what changed. The result is the same, byte for byte, with any number of workers.
"""

import json
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from kuamo.data.checks import DEFAULT, Check, Options, among, first_fault
from kuamo.data.examine import CHECKED, Finding, examine
from kuamo.data.files import HALF, WORK, prune, whole, write
from kuamo.data.ledger import Ledger
from kuamo.data.measure import digest
from kuamo.data.outputs import OUTPUTS
from kuamo.data.outputs.media import FOLDER as MEDIA
from kuamo.data.pieces import in_pieces
from kuamo.data.pool import AHEAD, in_order, workers
from kuamo.data.provenance import provenance
from kuamo.data.report import Report
from kuamo.data.row import Dropped, Fault, Row
from kuamo.data.sources import KINDS, kind_of, read_rows
from kuamo.data.sources.fields import Fields
from kuamo.data.sources.folder import Folder
from kuamo.data.split import Split, place
from kuamo.data.writer import PARTS, Writer, part_path
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.stream import Stream

MEAN = 128  # rows of a piece to examine
FILES = WORK / "files.json"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to build, and everything that decides the result.

    `kind` None is found; `media` are other folders that the source may name media in; `licence` is the data's, in the
    user's words.
    """

    source: Path
    out: Path
    kind: str | None = None
    fields: Fields = field(default_factory=Fields)
    media: tuple[Path, ...] = ()
    checks: Options = field(default_factory=lambda: DEFAULT)
    split: Split = field(default_factory=Split)
    formats: tuple[str, ...] = ("datasets",)
    limits: Limits = field(default_factory=Limits)
    licence: str = ""

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise KuamoError("not_possible", what="--kind", name=self.kind, possible=", ".join(KINDS))
        for name in self.formats:
            if name not in OUTPUTS:
                raise KuamoError("not_possible", what="--format", name=name, possible=", ".join(OUTPUTS))


@dataclass(frozen=True)
class Progress:
    """How many rows have been read and how many of them kept."""

    rows: int
    kept: int


def build(plan: Plan, processes: int | None = None) -> Stream[Progress, Report]:
    """Build a data set with as many worker processes (default: one a core); the progress as it comes, then the Report.

    Raises KuamoError no_source, no_kind, no_rows, folder_not_empty, build_in_use, cannot_write, source_changed,
    data_missing.
    """
    return Stream(_build(replace(plan, out=plan.out.resolve()), processes or os.cpu_count() or 1))


def _build(plan: Plan, processes: int) -> Generator[Progress, None, Report]:
    folder = Folder.of(plan.source, also=plan.media, without=plan.out, limits=plan.limits)
    kind = plan.kind or kind_of(folder)
    with _alone(plan.out), workers(processes) as pool, _ledger() as ledger:
        report = Report(kind)
        writer = Writer(plan.split.names, plan.formats, plan.out, pool, AHEAD * processes)
        checks = among(plan.checks, ledger)
        work = partial(examine, options=plan.checks, out=plan.out)
        pieces = in_pieces(read_rows(folder, kind, plan.fields), MEAN)
        with whole(plan.out / "dropped.jsonl", plan.out) as listing:
            for piece, (name, findings) in in_order(pool, work, pieces, AHEAD * processes):
                ledger.claim("checked", name, "")
                for row, finding in zip(piece, findings, strict=True):
                    match judged := _judge(row, finding, checks, plan.split, ledger):
                        case Dropped():
                            report.drop(judged, listing)
                        case split, kept:
                            report.keep(split)
                            writer.add(split, kept)
                yield Progress(report.rows, report.kept)
            if not report.rows:
                raise KuamoError("no_rows", name=plan.source)
            parts = writer.close()
        _finish(plan, folder, report, parts, ledger)
        return report


def _judge(
    row: Row | Dropped, finding: Finding, checks: list[Check], split: Split, ledger: Ledger
) -> Dropped | tuple[str, Row]:
    """Return the split of a row that stays, and the row with its facts; or why it goes."""
    if isinstance(row, Dropped):
        return row
    if isinstance(finding, Fault):
        return Dropped(row.where, finding, row.id)
    known = replace(row, facts=finding)
    ledger.mark()
    where = first_fault(known, checks) or place(known, split, ledger)
    if isinstance(where, Fault):
        ledger.undo()  # a row that goes stands in no other's way
        return Dropped(row.where, where, row.id)
    for fact in finding["media"]:
        ledger.claim("media", fact["sha256"], "")
    ledger.keep()
    return where, known


# --- the end of it


def _finish(plan: Plan, folder: Folder, report: Report, parts: dict[str, list[str]], ledger: Ledger) -> None:
    """Put the parts together, describe them, and clear away what earlier runs left."""
    out = plan.out
    report.fingerprint = digest(json.dumps(parts).encode())
    empty = [("empty_split", {"split": name}) for name in plan.split.names if not report.splits[name]]
    report.notes += empty if report.kept else [("nothing_kept", {})]
    about = {"fingerprint": report.fingerprint, "licence": plan.licence}
    files: list[Path] = []
    for name in plan.formats:
        paths = {split: [part_path(name, key, out) for key in keys] for split, keys in parts.items()}
        files += OUTPUTS[name].finish(paths, out, about)
    write(out / "report.json", _json(report.as_json()), out)
    write(out / "provenance.json", _json(provenance(plan, folder, report)), out)
    _forget_files(files, out)
    kept = {part_path(name, key, out) for name in plan.formats for keys in parts.values() for key in keys}
    prune(out / PARTS, lambda path: path in kept)
    prune(out / CHECKED, lambda path: ledger.holder("checked", path.name) is not None)
    refers = any(OUTPUTS[name].refers for name in plan.formats)
    prune(out / MEDIA, lambda path: refers and ledger.holder("media", path.stem) is not None)


def _forget_files(files: list[Path], out: Path) -> None:
    """Delete the files that an earlier run made and this one did not."""
    names = sorted(path.relative_to(out).as_posix() for path in files)
    earlier = json.loads((out / FILES).read_bytes()) if (out / FILES).exists() else []
    for name in set(earlier) - set(names):
        (out / name).unlink(missing_ok=True)
    write(out / FILES, _json(names), out)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


@contextmanager
def _ledger() -> Iterator[Ledger]:
    ledger = Ledger()
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep other builds of a folder out until the end of the block or of the process, however it ends."""
    from kuamo.data.sources.records import needed

    filelock = needed("filelock")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / WORK).is_dir())):
        raise KuamoError("folder_not_empty", name=out)
    lock = filelock.FileLock(out / WORK / "lock", timeout=0)
    try:
        (out / WORK).mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise KuamoError("build_in_use", name=out) from error
    except OSError as error:
        raise KuamoError("cannot_write", name=out, reason=error.strerror) from error
    try:
        shutil.rmtree(out / HALF, ignore_errors=True)
        yield
    finally:
        lock.release()
