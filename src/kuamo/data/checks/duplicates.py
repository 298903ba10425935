"""Whether a row was met before. Of several, the first in the order of the source stays."""

import json

from kuamo.data.ledger import Ledger
from kuamo.data.row import Fault, Row


def exact_duplicates(row: Row, ledger: Ledger) -> Fault | None:
    """Drop a row whose media have the same bytes and whose texts are the same as those of another."""
    media = [one["sha256"] for one in row.facts.get("media", ())]
    content = json.dumps([media, row.texts, row.language])
    first = ledger.claim("content", content, str(row.where))
    return None if first is None else Fault("duplicate", {"first": first})


def duplicate_ids(row: Row, ledger: Ledger) -> Fault | None:
    """Drop a row that has another's id."""
    first = ledger.claim("id", row.id, str(row.where))
    return None if first is None else Fault("duplicate_id", {"id": row.id, "first": first})
