"""Each dependency has its reason in docs/dependencies.md, and is used."""

import re
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[]", requirement)[0] for requirement in requirements}


def test_each_dependency_has_its_reason_and_each_reason_its_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = names([*project["dependencies"], *chain(*project["optional-dependencies"].values())])
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    reasoned = {name for row in rows for name in row.split(", ")} - {"package", "---"}
    assert len(wanted) > 20
    assert reasoned - {"---"} == wanted
