"""What the tests of data sets share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_sets import write

from kuamo.data.row import Dropped, Row
from kuamo.data.sources import kind_of, read_rows
from kuamo.data.sources.fields import Fields
from kuamo.data.sources.folder import Folder


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[list[Row], list[Dropped]]]:
    """Write files as a source; return its rows, and what was dropped. Its kind is found and must be the one given."""

    def read(kind: str, files: dict[str, bytes | str], fields: str | None = None, **also: Any) -> Any:
        folder = Folder.of(write(tmp_path / "source", files), **also)
        assert kind_of(folder) == kind
        found = list(read_rows(folder, kind, Fields.parse(fields)))
        return [x for x in found if isinstance(x, Row)], [x for x in found if isinstance(x, Dropped)]

    return read
