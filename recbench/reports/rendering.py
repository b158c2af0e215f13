"""One table in any of the forms that people read: text, Markdown, CSV or LaTeX."""

import csv
import io
from collections.abc import Sequence

from tabulate import tabulate

from recbench.reports.cells import safe
from recbench.reports.formats import CompareFormat

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


def details(title: str, lines: Sequence[str]) -> list[str]:
    """Returns the lines of a part of a Markdown page that is folded until someone asks for it."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "", "</details>"]
