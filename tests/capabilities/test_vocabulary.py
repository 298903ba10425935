"""The words for labels: spelt alike whatever the reader makes of spaces and case, each of one meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.capabilities.vocabulary import search, spell, vocabulary


@pytest.mark.parametrize("text", ["Shared Users：", "sharedusers", "SHARED USER", "shared-users", "ＳｈａｒｅｄＵsers"])
def test_one_key_for_one_label(text: str) -> None:
    assert spell(text).key == "shareduser"


@given(st.text(max_size=40))
def test_any_text_can_be_spelt(text: str) -> None:
    spelled = spell(text)
    assert len(spelled.key) == len(spelled.starts) == len(spelled.ends)
    assert all(0 <= start < end <= len(spelled.text) for start, end in zip(spelled.starts, spelled.ends, strict=True))
    found, rest = search(spelled, vocabulary().questions)
    assert sum(len(phrase.key) for phrase in found) + sum(map(len, rest)) == len(spelled.key)


def test_each_term_has_one_meaning_and_each_group_two_languages() -> None:
    groups = vocabulary().groups.values()
    terms = [spell(term).key for group in groups for term in (*group.terms, *group.asks)]
    assert len(terms) == len(set(terms)) > 1000
    assert all(name in vocabulary().groups for group in groups for name in group.instead)


@pytest.mark.parametrize(
    ("label", "group"),
    [
        ("密码", "password"),
        ("PASSWORD", "password"),
        ("Your password", "password"),
        ("Wi-Fi password", "wifi password"),
        ("Total (USD)", "total"),
        ("合计 Total", "total"),
        ("Serlal Number", "serial number"),
        ("Android版本", "android version"),
        ("系统版本", "system version"),
        ("内核版本", "kernel version"),
        ("版本号", "build number"),
        ("Surname", "last name"),
        ("猫", None),
        ("Gizmo", None),
        ("Guest name", None),
    ],
)
def test_a_printed_label_finds_its_group(label: str, group: str | None) -> None:
    assert vocabulary().group_of(label) == group


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("系统版本17.4.1", ("系统版本", "17.4.1")),
        ("Model name iPhone", ("Model name", "iPhone")),
        ("Modelling", None),
        ("密码", None),
    ],
)
def test_a_label_at_the_head_of_a_line(text: str, parts: tuple[str, str] | None) -> None:
    assert vocabulary().prefix(text) == parts
