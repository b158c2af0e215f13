"""Columns as a table in every format, and the lines around it; a terminal gets lines that fit its width."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.escaping.terminal import MOST_CHARACTERS
from recbench.reports.cells import CELL_CHARACTERS
from recbench.reports.column_choice import chosen_columns, sorted_columns
from recbench.reports.columns import Column, Cut, rows_of, wide_looks
from recbench.reports.formats import Format
from recbench.reports.rendering import render_lines, render_table
from recbench.reports.screen import Screen, wrapped
from recbench.reports.screen_table import screen_table
from recbench.reports.view import View


@dataclass(frozen=True, slots=True)
class RenderedTable:
    """A table as text.

    Attributes:
        text: The table alone.
        wide: Whether it is the wide table, in which a value and its interval are two columns.
        notes: What it does not show.
    """

    text: str
    wide: bool
    notes: list[str]


def render_columns(columns: Sequence[Column], form: Format, view: View) -> RenderedTable:
    """Renders columns; their texts are escaped here.

    Args:
        columns: All columns of the table.
        form: Any format in which tables are read by people.
        view: Which of the columns to show, and where.
    """
    chosen = chosen_columns(sorted_columns(columns, view.sort), view.columns)
    notes = []
    names = {column.name for column in columns}
    if absent := [name for name in (*(view.columns or ()), *([view.sort] if view.sort else [])) if name not in names]:
        notes.append(f"This table has no figures for: {', '.join(dict.fromkeys(absent))}.")
    if view.screen is None:
        looks = wide_looks(chosen or columns)
        alignment = "".join(look.letter for look in looks)
        # A value that continues on the next line is needed in full.
        most = MOST_CHARACTERS if any(column.cut is Cut.WRAP for column in columns) else CELL_CHARACTERS
        text = render_table(rows_of(looks), [look.header for look in looks], alignment, form, most=most)
        return RenderedTable(text, True, notes)
    shown = screen_table(chosen or columns, view.screen)
    if shown.left_out:
        advice = "--columns NAME,... chooses columns" if view.has_options else "a wider terminal or a pipe shows all"
        notes.append(f"No room for {', '.join(shown.left_out)}: {advice}.")
    return RenderedTable("\n".join(shown.lines), shown.wide, [*notes, *shown.notes])


def prose(lines: Sequence[str], form: Format, screen: Screen | None) -> list[str]:
    """Renders lines of prose, which are escaped here; on a terminal, they are broken between words."""
    return on_screen(render_lines(lines, form), screen)


def on_screen(lines: Sequence[str], screen: Screen | None) -> list[str]:
    """Returns lines of prose, escaped already, as they fit the terminal, if there is one."""
    return list(lines) if screen is None else [part for line in lines for part in wrapped(line, screen)]
