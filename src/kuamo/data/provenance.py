"""Where a data set comes from and how it was made: enough to make it again and to know what may be done with it."""

from typing import TYPE_CHECKING, Any

from kuamo.data.measure import digest, versions
from kuamo.data.report import Report
from kuamo.data.sources.folder import Folder

if TYPE_CHECKING:
    from kuamo.data.build import Plan

TERMS = ("licen", "copying", "readme", "notice", "terms")  # how the names of such files begin


def provenance(plan: "Plan", folder: Folder, report: Report) -> dict[str, Any]:
    """Return the source, the files there that tell its terms, the settings, the versions and the fingerprint.

    Nothing in it depends on when or in how many processes the set was built.
    """
    return {
        "fingerprint": report.fingerprint,
        "source": {
            "name": (folder.file or folder.root).name,
            "kind": report.kind,
            "fields": dict(plan.fields.named),
            "licence": plan.licence,
            "terms": _terms(folder),
        },
        "split": {"shares": list(plan.split.shares), "seed": plan.split.seed, "rows": dict(report.splits)},
        "checks": {name: dict(options) for name, options in plan.checks.items()},
        "formats": list(plan.formats),
        "versions": versions(),
    }


def _terms(folder: Folder) -> list[dict[str, str]]:
    files = [x for x in folder.root.iterdir() if x.is_file() and x.name.lower().startswith(TERMS)]
    return [{"file": x.name, "sha256": digest(x.read_bytes())} for x in sorted(files)]
