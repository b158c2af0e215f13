"""One table in any of the forms that people read: text, Markdown, CSV or LaTeX."""

import csv
import io
from collections.abc import Sequence

from tabulate import tabulate

from recbench.reports.formats import CompareFormat
from recbench.reports.table import escape

STYLES = {
    CompareFormat.TEXT: "simple",
    CompareFormat.MARKDOWN: "pipe",
    CompareFormat.LATEX: "latex_booktabs",
}


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], alignment: str, form: CompareFormat) -> str:
    """Renders a table whose cells are text already.

    Args:
        rows: The cells; in Markdown and LaTeX they are escaped here.
        headers: The columns' names.
        alignment: A letter for each column: l or r.
        form: Text, Markdown or LaTeX.
    """
    if form is CompareFormat.MARKDOWN:
        rows = [[safe(cell) for cell in row] for row in rows]
    return tabulate(
        rows,
        headers,
        tablefmt=STYLES[form],
        colalign=["left" if letter == "l" else "right" for letter in alignment],
        disable_numparse=True,
    )


def csv_text(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    """Renders a table as CSV, numbers in full precision."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return target.getvalue().rstrip("\n")


def safe(text: str) -> str:
    """Returns text that cannot end a cell, open a tag or break a line in Markdown."""
    return escape(" ".join(text.split("\n"))).replace("<", "&lt;").replace("`", "'")


def details(title: str, lines: Sequence[str]) -> list[str]:
    """Returns the lines of a part of a Markdown page that is folded until someone asks for it."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "", "</details>"]


def signed(value: float) -> str:
    """Returns a difference with its sign and four digits; what rounds to nothing is +0.0000, never -0.0000."""
    return f"{round(value, 4) + 0.0:+.4f}"
