"""How a person wants to see a table: which columns, in which order of its rows, on which screen."""

from dataclasses import dataclass
from typing import Final

from recbench.reports.screen import Screen


@dataclass(frozen=True, slots=True)
class View:
    """How to show a table. CSV and JSON, which programs read, always have all columns.

    Attributes:
        columns: The names of the columns; None for the default ones.
        sort: The column by which rows are sorted, the best first; None for the order of the report.
        screen: The terminal that plain text has to fit; None for the wide table.
        has_options: Whether the verb has the options ``--columns`` and ``--sort`` for this table.
    """

    columns: tuple[str, ...] | None = None
    sort: str | None = None
    screen: Screen | None = None
    has_options: bool = False


DEFAULT_VIEW: Final = View()
