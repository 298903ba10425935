"""Lines of text to pairs of label and value, by where they stand.

The arrangements are those that work on form understanding found to carry nearly all pairs: "label: value" in one line,
the value right of its label, and the value below it (Jaume et al., FUNSD, 2019; Majumder et al., Representation
Learning for Information Extraction from Form-like Documents, ACL 2020, whose candidates are neighbours to the left and
above). Where two readings are possible, there is no pair.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from kuamo.capabilities.vocabulary import spell, vocabulary
from kuamo.contracts import Line
from kuamo.media.text import is_chinese

# Distances are in heights of the label's line.
NEAR = 6.0  # a value this close to its label needs no other row to vouch for it
BELOW = 1.5  # the most between a label and the value under it
SLIDER = 2.0  # the same, where the value stands under a slider's handle
SIDE = 6.0  # options of one field stand no further apart

# How hints in empty fields, and sentences that begin with a label ("密码不能为空"), go on.
NOT_VALUE = re.compile(
    r"^(?:请|必须|需要|应|不|未|至少|最少|最多|错误|长度|由|和|与|或|说明|管理|设置|enter |please |type your|e\.g\.)",
    re.IGNORECASE,
)
ARROWS = " \t>›»〉》＞▶▸→∨⌄▾▼"


@dataclass(frozen=True)
class Pair:
    """A label as printed, its value, and the line that holds the value."""

    label: str
    value: str
    place: Line


@dataclass(frozen=True)
class _Cell:
    """A line of text in an upright picture, its box in pixels."""

    text: str
    line: Line
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def label(self) -> str:
        return self.text.rstrip(":： ")

    @property
    def known(self) -> bool:
        """Whether it says of itself that it is a label: a word of the vocabulary, or a colon at its end."""
        return vocabulary().group_of(self.label) is not None or (self.text != self.label and _is_label(self.label))

    @property
    def value(self) -> bool:
        """Whether it can be a value: neither a label nor a button's word."""
        button = self.text.casefold().replace(" ", "") in {word.replace(" ", "") for word in vocabulary().actions}
        return not (self.known or button or len(self.text) > 80 or NOT_VALUE.match(self.text))

    def beside(self, other: "_Cell") -> bool:
        return other is not self and abs(other.middle - self.middle) <= 0.5 * min(self.height, other.height)

    def overlaps(self, other: "_Cell") -> bool:
        return min(self.right, other.right) > max(self.left, other.left)


class _Sheet:
    """The cells of a picture and the pairs found among them so far."""

    def __init__(self, cells: list[_Cell]) -> None:
        self.cells = cells
        self.pairs: list[Pair] = []
        self.free = list(cells)

    def take(self, label: _Cell, value: _Cell) -> None:
        self.pairs.append(Pair(label.label, value.text, value.line))
        self.free = [cell for cell in self.free if cell is not label and cell is not value]

    def row(self, cell: _Cell) -> list[_Cell]:
        return sorted((other for other in self.cells if cell.beside(other)), key=lambda other: other.left)

    def right_of(self, cell: _Cell) -> _Cell | None:
        following = [other for other in self.row(cell) if other.left >= cell.right - 0.3 * cell.height]
        return following[0] if following else None


def find_pairs(lines: tuple[Line, ...]) -> tuple[Pair, ...]:
    """Return the pairs of label and value among the lines of one picture; each line belongs to one pair at most."""
    sheet = _Sheet(_upright(lines))
    for cell in sheet.cells:
        _within(cell, sheet, _at_colons)
    _rows(sheet)
    for cell in list(sheet.free):
        _within(cell, sheet, _after_label)
    for arrangement in (_under, _far_right, _over):
        for cell in [cell for cell in sheet.free if cell.known]:
            if cell in sheet.free and (value := arrangement(cell, sheet)):
                sheet.take(cell, value)
    return tuple(sheet.pairs)


def find_headings(lines: tuple[Line, ...], pairs: tuple[Pair, ...]) -> tuple[str, ...]:
    """Return the lines that stand alone in their row, in no pair and without digits: what the picture is about."""
    sheet = _Sheet(_upright(lines))
    paired = {id(pair.place) for pair in pairs}
    alone = [cell for cell in sheet.cells if id(cell.line) not in paired and not sheet.row(cell)]
    return tuple(cell.text for cell in alone if not re.search(r"\d|[:：]", cell.text))


def _upright(lines: tuple[Line, ...]) -> list[_Cell]:
    """Turn the lines by the median slope of the long ones, drop arrows, and take their boxes."""
    tops = [(line.corners[0], line.corners[1]) for line in lines if len(line.text) > 3]
    slope = median([math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in tops] or [0.0])
    cosine, sine = math.cos(-slope), math.sin(-slope)
    cells = []
    for line in lines:
        text = line.text.strip(ARROWS)
        text = text if "(" in text or "（" in text else re.sub(r"\s+[)）]$", "", text)  # an arrow read as a bracket
        xs = [x * cosine - y * sine for x, y in line.corners]
        ys = [x * sine + y * cosine for x, y in line.corners]
        if text:
            cells.append(_Cell(text, line, min(xs), max(xs), min(ys), max(ys)))
    return sorted(cells, key=lambda cell: (cell.top, cell.left))


def _is_label(text: str) -> bool:
    return bool(re.search(r"[^\W\d_]", text)) and len(text) <= 40 and len(text.split()) <= 6 and text[0].isalnum()


# --- in one line


def _within(cell: _Cell, sheet: _Sheet, split: Callable[[str], Iterator[tuple[str, str]]]) -> None:
    found = list(split(cell.text))
    for label, value in found:
        sheet.pairs.append(Pair(label, value, cell.line))
    if found:
        sheet.free.remove(cell)


def _at_colons(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of "Date: 3 May Time: 10:23"."""
    colon = re.search(r"[:：](?!//)", text)
    if colon and _is_label(text[: colon.start()]) and not re.search(r"\d$", text[: colon.start()]):
        value, rest = _next_label(text[colon.end() :])
        if value and not NOT_VALUE.match(value):
            yield text[: colon.start()].strip(), value
        yield from _at_colons(rest) if rest else ()


def _after_label(text: str) -> Iterator[tuple[str, str]]:
    """Yield the pair of "系统版本17.4.1", where what follows a known label reads like a value."""
    if vocabulary().group_of(text) is None and (parts := vocabulary().prefix(text)):
        value = re.sub(r"^(?:是|为|is\b)\s*", "", parts[1]).lstrip("=- ")
        if _is_written_value(value, parts[0]):
            yield parts[0], value


def _next_label(text: str) -> tuple[str, str]:
    """Cut "4 Time: 10:23" before the known label in it."""
    for colon in re.finditer(r"[:：]", text):
        for start in range(1, colon.start()):
            parted = text[start - 1].isspace() or is_chinese(text[start])
            if parted and spell(text[start : colon.start()]).key in vocabulary().terms:
                return text[:start].strip(), text[start:]
    return text.strip(), ""


def _is_written_value(text: str, label: str) -> bool:
    """Whether what follows a label without a colon reads like a value, not like the rest of a sentence."""
    short = len(text) <= 40 and len(text.split()) <= 4
    first = re.match(r"[\d$¥€£￥+\-A-Z]|[a-z]*\d", text, re.IGNORECASE if is_chinese(label) else 0)
    return bool(short and first and re.search(r"\d", text) and not NOT_VALUE.match(text))


# --- side by side


def _rows(sheet: _Sheet) -> None:
    """Pair labels with the next cell to the right: near, or far where other rows have values in the same column."""
    found = [(cell, value) for cell in sheet.free if (value := _candidate(cell, sheet))]
    near = [(label, value) for label, value in found if value.left - label.right <= NEAR * label.height]
    near = [(label, value) for label, value in near if label.known or re.search(r"\d", value.text)]
    for label, value in found:
        vouched = any(_aligned(label.left, other.left, label) for other, _ in near) or any(
            _aligned(value.right, other.right, label) or _aligned(value.left, other.left, label)
            for mate, other in found
            if other is not value and _aligned(label.left, mate.left, label)
        )
        close = (label, value) in near
        if label in sheet.free and value in sheet.free and (close or (vouched and _far(label, value))):
            sheet.take(label, value)


def _candidate(cell: _Cell, sheet: _Sheet) -> _Cell | None:
    row = [cell, *sheet.row(cell)]
    value = sheet.right_of(cell)
    if not cell.known and value and any(_after_label(value.text)):
        return None
    if value is None or value not in sheet.free or not value.value or not _is_label(cell.label):
        return None
    if len(row) > 2 and (not cell.known or _is_header(row)):
        return None
    return value


def _is_header(row: list[_Cell]) -> bool:
    ordered = sorted(row, key=lambda cell: cell.left)
    return any(first.known and second.known for first, second in pairwise(ordered))


def _far(label: _Cell, value: _Cell) -> bool:
    return value.left - label.right > NEAR * label.height


def _aligned(one: float, other: float, cell: _Cell) -> bool:
    return abs(one - other) <= 0.7 * cell.height


def _far_right(label: _Cell, sheet: _Sheet) -> _Cell | None:
    """A known label and one other cell in its row, whatever lies between."""
    value = sheet.right_of(label)
    return value if value in sheet.free and value.value and len(sheet.row(label)) == 1 else None


# --- one above the other


def _under(label: _Cell, sheet: _Sheet) -> _Cell | None:
    """Return the one value under a label; None where there are options, or several rows of a table."""
    lower = [cell for cell in sheet.cells if -0.3 <= (cell.top - label.bottom) / label.height <= SLIDER]
    below = [cell for cell in lower if cell.top - label.bottom <= BELOW * label.height and _stands_under(cell, label)]
    if not below:
        return _under_slider(label, lower, sheet)
    value = min(below, key=lambda cell: (cell.top, cell.left))
    if value not in sheet.free or not value.value or _options(value, label, sheet):
        return None
    return None if _is_table(label, value, sheet) else value


def _stands_under(cell: _Cell, label: _Cell) -> bool:
    return cell.overlaps(label) or abs(cell.left - label.left) <= BELOW * label.height


def _options(value: _Cell, label: _Cell, sheet: _Sheet) -> bool:
    """Whether other cells of the value's row belong to the same label."""
    heads = sheet.row(label)
    return any(
        max(other.left - value.right, value.left - other.right) <= SIDE * label.height
        and not any(head.overlaps(other) for head in heads)
        for other in sheet.row(value)
    )


def _is_table(label: _Cell, value: _Cell, sheet: _Sheet) -> bool:
    """Whether a second row of values follows under a row of labels."""
    if not any(head.known for head in sheet.row(label)):
        return False
    return any(
        0 <= cell.top - value.bottom <= SLIDER * value.height
        and cell.overlaps(value)
        and cell.value
        and sheet.row(cell)
        for cell in sheet.cells
    )


def _under_slider(label: _Cell, lower: list[_Cell], sheet: _Sheet) -> _Cell | None:
    """A slider shows its number where its handle stands: the only cell under the label, however far to the right."""
    alone = [cell for cell in lower if cell in sheet.free and cell.left > label.left]
    single = alone[0] if len(alone) == 1 and not sheet.row(label) else None
    return single if single and re.fullmatch(r"[\d.,%-]+", single.text) and single.value else None


def _over(label: _Cell, sheet: _Sheet) -> _Cell | None:
    """A caption under its number, as on dashboards: a number close above, centred, and larger."""
    for cell in sheet.free:
        gap = label.top - cell.bottom
        centred = abs((cell.left + cell.right) - (label.left + label.right)) <= 3 * label.height
        close = -0.3 * label.height <= gap <= cell.height and cell.height > 1.1 * label.height
        if close and centred and cell.text[0].isdigit():
            return cell
    return None
