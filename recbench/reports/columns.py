"""Tables as columns, each of which can be shown in several widths."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Cut(Enum):
    """What becomes of a text that is wider than its column."""

    MIDDLE = "middle"
    """A name: its middle is left out, and the full name stands below the table."""
    END = "end"
    """A description: its end is left out."""
    WRAP = "wrap"
    """A value that is needed in full: it continues on the next line."""


@dataclass(frozen=True, slots=True)
class Look:
    """One way to show a column.

    Attributes:
        header: Its header.
        cells: A text for each row.
        letter: How it is aligned: l or r.
        rank: In a table that is too wide, looks of a lower rank get room first; one of rank 0 is always shown.
    """

    header: str
    cells: Sequence[str]
    letter: str = "r"
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: What ``--columns`` and ``--sort`` call it.
        wide: How the wide table shows it, which may be more than one column, such as a value and its interval.
        narrow: Narrower looks, the widest first; empty if there is only the wide one.
        keys: What its rows are sorted by, ascending; None comes last. Without keys, the texts of the first wide look.
        cut: Whether, and how, its texts may be cut.
        only_if_asked: Whether a terminal shows it only if ``--columns`` names it.
        only_beside: Names of columns that are more important: a terminal without room for one of them leaves this
            column out too, unless ``--columns`` names it.
    """

    name: str
    wide: tuple[Look, ...]
    narrow: tuple[Look, ...] = ()
    keys: Sequence[float | str | None] = ()
    cut: Cut | None = None
    only_if_asked: bool = False
    only_beside: tuple[str, ...] = ()

    @property
    def looks(self) -> tuple[tuple[Look, ...], ...]:
        """The looks of a table that is too wide to be shown wide, the widest first."""
        return tuple((look,) for look in self.narrow) or (self.wide,)

    @property
    def sort_keys(self) -> Sequence[float | str | None]:
        """What its rows are sorted by."""
        return self.keys or [cell.lower() for cell in self.wide[0].cells]


def text_column(name: str, cells: Sequence[str], letter: str = "l", rank: int = 0, cut: Cut | None = None) -> Column:
    """Returns a column whose header is its name."""
    return Column(name, (Look(name, cells, letter, rank),), cut=cut)


def wide_looks(columns: Sequence[Column]) -> list[Look]:
    """Returns the looks of the wide table."""
    return [look for column in columns for look in column.wide]


def rows_of(looks: Sequence[Look]) -> list[list[str]]:
    """Returns the cells of looks row by row."""
    return [list(row) for row in zip(*(look.cells for look in looks), strict=True)]
