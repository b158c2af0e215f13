"""The options of the verbs that print a table: which columns, in which order; and the terminal that it has to fit."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.output_options import PANEL
from recbench.reports.formats import Format

if TYPE_CHECKING:
    from recbench.reports.screen import Screen
    from recbench.reports.view import View

Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="NAME,...",
        help="Comma-separated: show these columns, in this order, such as model,hr@10,speed. CSV and JSON always have "
        "all columns.",
        show_default="as many as fit the terminal",
        rich_help_panel=PANEL,
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="NAME",
        help="Sort rows by this column, the best first. CSV and JSON keep their order.",
        show_default="the order of the models",
        rich_help_panel=PANEL,
    ),
]


def table_view(
    columns: Sequence[str] | None, sort: str | None, known: Sequence[str], form: Format = Format.TEXT
) -> "View":
    """Returns how to show a table.

    Args:
        columns: What ``--columns`` was given.
        sort: What ``--sort`` was given.
        known: The names of all columns.
        form: The format of the table.

    Raises:
        RecbenchError: A column is unknown.
    """
    from recbench.reports.column_choice import chosen_view

    return chosen_view(columns, sort, known, standard_output_screen() if form is Format.TEXT else None)


def standard_output_screen() -> "Screen | None":
    """Returns the terminal of standard output; None if it is a file or a pipe."""
    from recbench.reports.screen import Screen, terminal_width

    stream = sys.stdout
    if not stream.isatty():
        return None
    # A terminal without colour gets no control code at all; the console of older Windows would print it.
    plain = os.environ.get("TERM") in ("dumb", "unknown") or bool(os.environ.get("NO_COLOR")) or _old_windows()
    return Screen(terminal_width(stream.fileno()), styled=not plain, encoding=stream.encoding or "utf-8")


def _old_windows() -> bool:
    return os.name == "nt" and "WT_SESSION" not in os.environ
