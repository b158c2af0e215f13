"""A table that fits a terminal: one line a row, in the widest looks of its columns for which there is room."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len

from recbench.escaping.terminal import MOST_CHARACTERS, one_line
from recbench.reports.cells import CELL_CHARACTERS, NO_FIGURE, STRONG, Strong
from recbench.reports.columns import Column, Cut, Look
from recbench.reports.formats import Format
from recbench.reports.screen import BOLD, PLAIN, Screen, filled

GAP = 2
"""Columns of the terminal between two columns of a table."""
WIDEST_NAME, NARROWEST_NAME = 24, 8
"""A text that may be cut gets at most so much of a narrow terminal, and at least so much, before other columns."""
WIDEST_NAME_OF_WIDE_TABLE = 40
MOST_NAMES = 20
"""At most so many names that were cut are repeated in full below a table."""


@dataclass(frozen=True, slots=True)
class ScreenTable:
    """A table for a terminal.

    Attributes:
        lines: Its lines, none wider than the terminal.
        wide: Whether it is the wide table.
        notes: The full names of those that were cut; these lines may be wider than the terminal.
        left_out: The names of the columns for which there is no room.
    """

    lines: list[str]
    wide: bool
    notes: list[str]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class _Sized:
    """A look as the terminal shows it.

    Attributes:
        look: Header and cells, escaped.
        cut: How its texts may be cut.
        size: Columns of its widest text.
    """

    look: Look
    cut: Cut | None
    size: int

    def least(self, most: int) -> int:
        """Returns the columns that it needs, where a text that may be cut gets at most this many."""
        return self.size if self.cut is None else min(self.size, most)


def screen_table(columns: Sequence[Column], screen: Screen) -> ScreenTable:
    """Renders columns for a terminal; texts are escaped here."""
    columns = [column for column in columns if not column.only_if_asked]
    wide = [[_sized(look, column, screen) for look in column.wide] for column in columns]
    is_wide = _total(wide, WIDEST_NAME_OF_WIDE_TABLE) <= screen.width
    chosen = wide if is_wide else _narrow(columns, screen)
    looks = [look for of_column in chosen for look in of_column]
    widths = _widths(looks, screen.width)
    cells, notes = [], []
    for look, width in zip(looks, widths, strict=False):
        shown, names = _cells(look, width, screen)
        cells.append(shown)
        notes += names
    left_out = [column.name for column, of_column in zip(columns, chosen, strict=True) if not of_column]
    lines = [
        _line(
            [screen.cut(look.look.header, width, at_end=True) for look, width in zip(looks, widths, strict=False)],
            looks,
            widths,
        ),
        _line(["-" * width for width in widths], looks, widths),
    ]
    for row in zip(*cells, strict=True):
        lines += [_line(line, looks, widths) for line in zip_longest(*row, fillvalue="")]
    return ScreenTable(lines, is_wide, notes, left_out)


def _sized(look: Look, column: Column, screen: Screen) -> _Sized:
    most = MOST_CHARACTERS if column.cut is Cut.WRAP else CELL_CHARACTERS
    header = screen.shown(one_line(look.header, most))
    empty = NO_FIGURE if look.letter == "r" else ""
    cells = [_shown(cell or empty, most, screen) for cell in look.cells]
    size = max(map(cell_len, (header, *cells)))
    return _Sized(Look(header, cells, look.letter, look.rank), column.cut, size)


def _shown(cell: str, most: int, screen: Screen) -> str:
    text = screen.shown(one_line(cell, most))
    if not isinstance(cell, Strong):
        return text
    return Strong(text) if screen.styled else STRONG[Format.TEXT].format(text)


def _narrow(columns: Sequence[Column], screen: Screen) -> list[list[_Sized]]:
    """Returns the looks of each column, by their ranks, as far as there is room; none for a column without room."""
    options = [[[_sized(look, column, screen) for look in looks] for looks in column.looks] for column in columns]
    most = max(NARROWEST_NAME, min(WIDEST_NAME, screen.width // 3))
    chosen: list[list[_Sized]] = [[] for _ in columns]
    steps = [
        (looks[0].look.rank, number, looks) for number, of_column in enumerate(options) for looks in reversed(of_column)
    ]
    for rank, number, looks in sorted(steps, key=lambda step: step[:2]):
        shown = {column.name for column, of_column in zip(columns, chosen, strict=True) if of_column}
        if not shown.issuperset(columns[number].only_beside):
            continue
        tried = [*chosen[:number], looks, *chosen[number + 1 :]]
        if rank == 0 or _total(tried, most) <= screen.width:
            chosen = tried
    return chosen


def _total(chosen: Sequence[Sequence[_Sized]], most: int) -> int:
    widths = [look.least(most) for looks in chosen for look in looks]
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(looks: Sequence[_Sized], width: int) -> list[int]:
    """Returns the width of each look; fewer than there are looks if the terminal has no room for the last ones."""
    widths = [look.size if look.cut is None else 0 for look in looks]
    left = width - GAP * (len(looks) - 1) - sum(widths)
    elastic = sorted((look.size, number) for number, look in enumerate(looks) if look.cut is not None)
    for place, (size, number) in enumerate(elastic):
        widths[number] = max(min(size, left // (len(elastic) - place)), 1)
        left -= widths[number]
    fitting: list[int] = []
    for column_width in widths:
        used = sum(fitting) + GAP * len(fitting)
        if used < width:
            fitting.append(min(column_width, width - used))
    return fitting


def _cells(look: _Sized, width: int, screen: Screen) -> tuple[list[list[str]], list[str]]:
    """Returns the lines of each cell, and lines with the names that were cut."""
    if look.cut is Cut.WRAP:
        return [filled(cell.split(" "), width) for cell in look.look.cells], []
    if look.size <= width:
        return [[cell] for cell in look.look.cells], []
    cut = {cell: screen.cut(cell, width, at_end=look.cut is not Cut.MIDDLE) for cell in dict.fromkeys(look.look.cells)}
    names: list[str] = []
    if look.cut is Cut.MIDDLE:
        cut = _distinct(cut, width, screen)
        names = [f"{short}: {cell}" for cell, short in cut.items() if short != cell]
        if names[MOST_NAMES:]:
            names = [*names[:MOST_NAMES], f"{len(names) - MOST_NAMES:,} more names were cut."]
    return [[Strong(cut[cell]) if isinstance(cell, Strong) else cut[cell]] for cell in look.look.cells], names


def _distinct(cut: dict[str, str], width: int, screen: Screen) -> dict[str, str]:
    """Returns cut names of which no two are equal: equal ones end with a number."""
    times = Counter(cut.values())
    distinct_names, number = {}, 0
    for name, short in cut.items():
        if times[short] > 1:
            number += 1
            ending = f"{screen.ellipsis}{number}"[-width:]
            short = (
                screen.cut(name, max(width - len(ending) + 1, 1), at_end=True).removesuffix(screen.ellipsis) + ending
            )
        distinct_names[name] = short
    return distinct_names


def _line(texts: Sequence[str], looks: Sequence[_Sized], widths: Sequence[int]) -> str:
    cells = []
    for text, look, width in zip(texts, looks, widths, strict=False):
        space = " " * (width - cell_len(text))
        shown = f"{BOLD}{text}{PLAIN}" if isinstance(text, Strong) else text
        cells.append(shown + space if look.look.letter == "l" else space + shown)
    return (" " * GAP).join(cells).rstrip()
