"""Tables for the terminal, as wide as it is; Chinese takes two columns a character."""

import shutil
from collections.abc import Iterable
from io import StringIO

WITHOUT_TERMINAL = (200, 24)


def table(rows: Iterable[tuple[str, ...]], headings: tuple[str, ...] = ()) -> str:
    """Return rows in aligned columns; the first column is never broken, so that it can be copied."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, padding=(0, 2, 0, 0), show_header=bool(headings), header_style="")
    first, *others = rows
    for index in range(len(first)):
        grid.add_column(headings[index] if headings else "", no_wrap=index == 0, overflow="fold")
    for row in (first, *others):
        grid.add_row(*row)
    text = StringIO()
    width = shutil.get_terminal_size(WITHOUT_TERMINAL).columns
    Console(file=text, width=width, highlight=False, markup=False, color_system=None).print(grid)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
