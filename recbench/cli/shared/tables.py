"""Tables of texts on standard output."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from recbench.cli.shared.table_options import standard_output_screen
from recbench.cli.shared.terminal import emit

if TYPE_CHECKING:
    from recbench.reports.columns import Column, Cut
    from recbench.reports.view import View


def emit_columns(columns: "Sequence[Column]", view: "View | None" = None) -> None:
    """Writes a table to standard output.

    Args:
        columns: Its columns.
        view: How to show it; None for all columns.
    """
    from recbench.reports.column_rendering import prose, render_columns
    from recbench.reports.formats import Format
    from recbench.reports.view import View

    view = view or View(screen=standard_output_screen())
    table = render_columns(columns, Format.TEXT, view)
    notes = prose(table.notes, Format.TEXT, view.screen)
    emit("\n".join([table.text, *(["", *notes] if notes else [])]), styled=view.screen is not None)


def emit_prose(text: str) -> None:
    """Writes lines of prose to standard output; on a terminal, they are broken between words."""
    screen = standard_output_screen()
    if screen is not None:
        from recbench.reports.screen import wrapped

        text = "\n".join(part for line in text.split("\n") for part in wrapped(line, screen))
    emit(text)


def emit_table(rows: Sequence[Sequence[Any]], headers: Sequence[str], view: "View | None" = None) -> None:
    """Writes a table to standard output; on a terminal that is too narrow, its last column is cut.

    Args:
        rows: The cells.
        headers: Headers, which are also the names of the columns.
        view: How to show it; None for all columns.
    """
    from recbench.reports.columns import Cut

    emit_columns(_text_columns(rows, headers, Cut.END), view)


def emit_facts(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    """Writes a table of names and values to standard output; on a narrow terminal, a value takes several lines."""
    from recbench.reports.columns import Cut

    emit_columns(_text_columns(rows, headers, Cut.WRAP))


def _text_columns(rows: Sequence[Sequence[Any]], headers: Sequence[str], last: "Cut") -> "list[Column]":
    from recbench.reports.columns import Cut, text_column

    columns = [
        text_column(header, ["" if row[place] is None else str(row[place]) for row in rows], rank=min(place, 1))
        for place, header in enumerate(headers)
    ]
    return [replace(columns[0], cut=Cut.MIDDLE), *columns[1:-1], replace(columns[-1], cut=last)]
