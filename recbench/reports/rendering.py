"""Tables and lines in every format. What formats say differently is said here, and nowhere else."""

import csv
import io
import re
from collections.abc import Sequence

from tabulate import tabulate

from recbench.escaping.data_files import csv_cell, json_text
from recbench.escaping.terminal import one_line
from recbench.reports.cells import CELL_CHARACTERS, NO_BREAK, STRONG, Markup, Strong, escape, escape_line
from recbench.reports.formats import Format
from recbench.reports.latex_tabular import latex_tabular


def render_table(
    rows: Sequence[Sequence[str]],
    headers: Sequence[str],
    alignment: str,
    form: Format,
    header_width: int | None = None,
    most: int = CELL_CHARACTERS,
) -> str:
    """Renders a table whose cells are text already; they are escaped here.

    Args:
        rows: The cells; those that are ``Strong`` stand out, and those that are ``Markup`` are taken as they are.
        headers: The columns' names.
        alignment: A letter for each column: l or r. The cells of a column r are figures: in Markdown and HTML, no line
            breaks within them.
        form: Text, Markdown, LaTeX, HTML, CSV, or JSON (an object a row; text is exact).
        header_width: Characters after which a header continues on the next line, in plain text.
        most: The most characters of a cell.
    """
    if form is Format.CSV:
        return csv_text(rows, headers)
    if form is Format.JSON:
        return json_text([dict(zip(headers, row, strict=True)) for row in rows])
    rows = [[_short(cell, most) for cell in row] for row in rows]
    if form is Format.HTML:
        return _html_table([_without_breaks(row, alignment) for row in rows], headers, alignment)
    if form is Format.LATEX:
        return latex_tabular(rows, headers, alignment)
    if form is Format.MARKDOWN:
        rows = [_without_breaks(row, alignment) for row in rows]
    return tabulate(
        [[_cell(cell, form) for cell in row] for row in rows],
        [escape(header, form) for header in headers],
        tablefmt="pipe" if form is Format.MARKDOWN else "simple",
        colalign=["left" if letter == "l" else "right" for letter in alignment],
        disable_numparse=True,
        maxheadercolwidths=header_width if form is Format.TEXT else None,
    )


def render_lines(lines: Sequence[str], form: Format) -> list[str]:
    """Renders plain lines, such as a legend, as lines of text, a list, or comments; they are escaped here."""
    return listed([escape_line(line, form) for line in lines], form)


def listed(lines: Sequence[str], form: Format) -> list[str]:
    """Returns lines that are escaped already as lines of text, a list, or comments."""
    if form is Format.MARKDOWN:
        return [f"- {line}" for line in lines]
    if form is Format.HTML:
        return ["<ul>", *(f"<li>{line}</li>" for line in lines), "</ul>"] if lines else []
    return [f"% {line}" for line in lines] if form is Format.LATEX else list(lines)


def paragraph(lines: Sequence[str], form: Format) -> list[str]:
    """Returns lines that are escaped already, each on a line of its own."""
    if form is Format.MARKDOWN:
        # Two spaces at a line's end keep the next line from being joined to it.
        return [f"{line}  " for line in lines]
    if form is Format.HTML:
        return [f"<p>{'<br>'.join(lines)}</p>"] if lines else []
    return [f"% {line}" for line in lines] if form is Format.LATEX else list(lines)


def csv_text(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    """Renders a table as CSV, numbers in full precision."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerows([csv_cell(value) for value in row] for row in (headers, *rows))
    return target.getvalue().rstrip("\n")


def details(title: str, lines: Sequence[str]) -> list[str]:
    """Returns the lines, which are escaped already, of a part of a Markdown or HTML page that is folded at first."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "", "</details>"]


def _without_breaks(row: Sequence[str], alignment: str) -> list[str]:
    return [cell if letter == "l" else _no_break(cell) for cell, letter in zip(row, alignment, strict=True)]


def _no_break(cell: str) -> str:
    # Of the same class: a cell stays what it is. An interval in brackets may go to a line of its own.
    return type(cell)(re.sub(f"{NO_BREAK}(?=[(\\[])", " ", cell.replace(" ", NO_BREAK)))


def _short(cell: str, most: int) -> str:
    if isinstance(cell, Markup):
        return cell
    text = one_line(cell, most)
    return Strong(text) if isinstance(cell, Strong) else text


def _cell(cell: str, form: Format) -> str:
    if isinstance(cell, Markup):
        return cell
    escaped = escape(cell, form)
    return STRONG[form].format(escaped) if isinstance(cell, Strong) else escaped


def _html_table(rows: Sequence[Sequence[str]], headers: Sequence[str], alignment: str) -> str:
    styles = ["" if letter == "l" else ' style="text-align: right"' for letter in alignment]

    def row(tag: str, cells: Sequence[str]) -> str:
        joined = "".join(
            f"<{tag}{style}>{_cell(cell, Format.HTML)}</{tag}>" for cell, style in zip(cells, styles, strict=True)
        )
        return f"<tr>{joined}</tr>"

    head = ["<table>", "<thead>", row("th", headers), "</thead>", "<tbody>"]
    return "\n".join([*head, *(row("td", cells) for cells in rows), "</tbody>", "</table>"])
