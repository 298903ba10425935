"""Splits that stay, and in which no picture and no speaker is twice."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.data.ledger import Ledger
from kuamo.data.row import Fault, Place, Row
from kuamo.data.split import Split, place
from kuamo.errors import KuamoError


def row(number: int, *media: str, group: str | None = None) -> Row:
    facts = {"media": [{"sha256": one} for one in media]}
    return Row(id=str(number), where=Place("a", number), group=group, facts=facts)


def placed(rows: list[Row], split: Split) -> list[str | Fault]:
    ledger = Ledger()
    return [place(one, split, ledger) for one in rows]


def test_shares_are_kept_over_many_groups() -> None:
    rows = [row(number, f"picture {number}") for number in range(5000)]
    counts = Counter(placed(rows, Split.parse("8:1:1", 42)))
    assert counts["train"] == pytest.approx(4000, abs=100)
    assert counts["validation"] == pytest.approx(500, abs=80)
    assert counts["test"] == pytest.approx(500, abs=80)


def test_another_seed_is_another_split() -> None:
    rows = [row(number, f"picture {number}") for number in range(100)]
    assert placed(rows, Split(seed=1)) == placed(rows, Split(seed=1)) != placed(rows, Split(seed=2))


KEYS = st.sampled_from([f"picture {number}" for number in range(8)])
ROWS = st.lists(st.tuples(st.lists(KEYS, max_size=3), st.sampled_from([None, "Ann", "Bob"])), max_size=12)


@given(ROWS)
def test_nothing_is_in_two_splits(given_rows: list[tuple[list[str], str | None]]) -> None:
    rows = [row(number, *media, group=group) for number, (media, group) in enumerate(given_rows)]
    where: dict[str, str] = {}
    for one, name in zip(rows, placed(rows, Split((1, 1, 1))), strict=True):
        if isinstance(name, Fault):
            assert name.code == "joins_splits"
            continue
        for key in [*(fact["sha256"] for fact in one.facts["media"]), *([one.group] if one.group else [])]:
            assert where.setdefault(key, name) == name


@given(st.lists(KEYS, max_size=12), st.lists(KEYS, max_size=12), st.integers(0, 12))
def test_a_row_keeps_its_split_when_others_come(before: list[str], more: list[str], at: int) -> None:
    rows = [row(number, key) for number, key in enumerate(before)]
    others = [row(100 + number, key) for number, key in enumerate(more)]
    split = Split((1, 1))
    alone = dict(zip((one.id for one in rows), placed(rows, split), strict=True))
    mixed = [*rows[:at], *others, *rows[at:]]
    together = dict(zip((one.id for one in mixed), placed(mixed, split), strict=True))
    assert {one: together[one] for one in alone} == alone


@pytest.mark.parametrize(("shares", "names"), [("1", 1), ("9:1", 2), ("0.8:0.2", 2), ("8:1:1", 3), ("0:1", 2)])
def test_shares_are_read(shares: str, names: int) -> None:
    split = Split.parse(shares, 0)
    assert len(split.names) == names
    assert split.of("x") in split.names


@pytest.mark.parametrize("shares", ["", "a", "9:1:1:1", "-1:2", "0:0", "nan:1", "inf:1", "9;1"])
def test_what_is_no_shares_is_told(shares: str) -> None:
    with pytest.raises(KuamoError, match="9:1"):
        Split.parse(shares, 0)
