"""Lines at known places to pairs of label and value: what is paired, and what must not be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.capabilities.layout import find_headings, find_pairs
from kuamo.contracts import Line

HEIGHT = 20.0


def line(text: str, left: float, top: float, width: float | None = None, height: float = HEIGHT) -> Line:
    right = left + (width or 10 * len(text))
    return Line(text, ((left, top), (right, top), (right, top + height), (left, top + height)), 1.0)


def paired(*lines: Line) -> list[tuple[str, str]]:
    return [(pair.label, pair.value) for pair in find_pairs(lines)]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("Password: aaeu", [("Password", "aaeu")]),
        ("密码：aaeu", [("密码", "aaeu")]),
        ("Price:0.00", [("Price", "0.00")]),
        ("Login at: http://hello.wifi", [("Login at", "http://hello.wifi")]),
        ("Server: 10.0.0.1:8080", [("Server", "10.0.0.1:8080")]),
        ("Date: 3 May Time: 10:23", [("Date", "3 May"), ("Time", "10:23")]),
        ("日期:2024-03-04时间:10:23", [("日期", "2024-03-04"), ("时间", "10:23")]),
        ("iOS版本17.4.1", [("iOS版本", "17.4.1")]),
        ("系统版本 17.4.1", [("系统版本", "17.4.1")]),
        ("型号名称iPhone 15 Pro", [("型号名称", "iPhone 15 Pro")]),
        ("Total $12.00", [("Total", "$12.00")]),
        ("密码是8848", [("密码", "8848")]),
        ("27/02/2019 11:03:15", []),
        ("http://hello.wifi", []),
        ("status please type in", []),
        ("Password must have 8 characters", []),
        ("密码错误", []),
        ("密码不能少于8位", []),
        ("密码:请输入密码", []),
        ("Password:", []),
        ("Model name", []),
    ],
)
def test_in_one_line(text: str, pairs: list[tuple[str, str]]) -> None:
    assert paired(line(text, 10, 10)) == pairs


def test_a_value_right_of_its_label() -> None:
    assert paired(line("型号", 10, 10), line("X100", 500, 10), line("›", 560, 10)) == [("型号", "X100")]
    assert paired(line("Password:", 10, 10), line("secret", 120, 10)) == [("Password", "secret")]


def test_rows_vouch_for_labels_that_no_list_has() -> None:
    rows = [line("Gizmo", 10, 10), line("alpha", 450, 10, 50), line("Widget", 10, 60), line("beta", 460, 60, 40)]
    assert paired(*rows) == [("Gizmo", "alpha"), ("Widget", "beta")]
    assert paired(*rows[:2]) == []


def test_fields_side_by_side_in_one_row() -> None:
    row = [line("Name", 10, 10), line("Tom", 70, 10), line("Age", 200, 10), line("40", 250, 10)]
    assert paired(*row) == [("Name", "Tom"), ("Age", "40")]


def test_a_value_below_its_label() -> None:
    assert paired(line("AGE", 10, 10), line("40", 14, 38)) == [("AGE", "40")]
    assert paired(line("AGE", 10, 10), line("40", 300, 55)) == [("AGE", "40")]  # under a slider's handle
    assert paired(line("AGE", 10, 10), line("40", 14, 80)) == []  # too far


def test_a_number_above_its_caption() -> None:
    cards = [line("98%", 100, 10, 60, 40), line("Battery", 95, 60, 70), line("72", 400, 10, 40, 40)]
    assert paired(*cards, line("Pulse", 395, 60, 50)) == [("Battery", "98%"), ("Pulse", "72")]


@pytest.mark.parametrize(
    "lines",
    [
        [line("USERNAME", 10, 10), line("PASSWORD", 10, 38)],
        [line("PASSWORD", 10, 10), line("Submit", 10, 38)],
        [line("密码", 10, 10), line("忘记密码", 10, 38), line("登录", 10, 66)],
        [line("Passenger class", 10, 10), line("Age", 200, 10), line("Fare", 300, 10)],
        [line("EMBARK POINT", 10, 10), line("S", 20, 38), line("C", 80, 38), line("Q", 140, 38)],
        [line("Clear", 10, 10), line("Submit", 400, 10)],
        [line("Sibling", 10, 10), line("Child", 100, 10)],
    ],
    ids=["label under label", "button", "links", "head of a table", "options", "buttons", "choices"],
)
def test_where_there_is_no_value_none_is_made_up(lines: list[Line]) -> None:
    assert paired(*lines) == []


def test_a_table_of_several_rows_gives_no_single_value() -> None:
    head = [line("Item", 10, 10), line("Qty", 200, 10), line("Price", 300, 10)]
    first = [line("Pen", 10, 40), line("2", 200, 40), line("3.00", 300, 40)]
    second = [line("Book", 10, 70), line("1", 200, 70), line("9.00", 300, 70)]
    assert ("Price", "3.00") in paired(*head, *first)
    assert paired(*head, *first, *second) == []


def test_headings_stand_alone() -> None:
    lines = (
        line("Hotel", 10, 10),
        line("Password: x1", 10, 60),
        line("Coffee", 10, 110),
        line("3.50", 400, 110),
    )
    assert find_headings(lines, find_pairs(lines)) == ("Hotel",)


WORDS = st.sampled_from(
    ["Password", "密码", "a: b", "40", "Total", "Total 5.00", "›", "Submit", "系统版本17", " ", "：", "x" * 90]
)
SPOTS = st.integers(0, 300)


@given(st.lists(st.builds(line, WORDS, SPOTS, SPOTS, st.integers(1, 90), st.integers(1, 40)), max_size=12))
def test_any_lines_give_values_that_were_read(lines: list[Line]) -> None:
    pairs = find_pairs(tuple(lines))
    assert all(pair.place in lines and pair.value in pair.place.text and pair.label for pair in pairs)
