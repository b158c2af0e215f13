"""The comparison of two record sets in every format. Markdown and HTML are made for a pull request."""

from collections.abc import Sequence

from recbench.escaping.data_files import json_text
from recbench.escaping.markdown import code_block
from recbench.reports.cells import code, escape, strong
from recbench.reports.column_rendering import on_screen, prose, render_columns
from recbench.reports.compare.columns import comparison_columns
from recbench.reports.compare.costs import render_costs
from recbench.reports.compare.document import compare_document
from recbench.reports.compare.gate import DecidedComparison
from recbench.reports.compare.headline import compare_headline
from recbench.reports.compare.lines import by_task, legend, new_case_lines, obstacles, origins, reasons, tag, task_line
from recbench.reports.compare.table_csv import compare_csv
from recbench.reports.compare.table_latex import compare_latex
from recbench.reports.formats import Format
from recbench.reports.rendering import details, paragraph, render_lines
from recbench.reports.view import DEFAULT_VIEW, View


def compare_table(decided: DecidedComparison, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders a comparison; as CSV, the figures alone; as JSON, the document; as LaTeX, for papers.

    Args:
        decided: The comparison and its verdicts.
        form: How.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
    if form is Format.CSV:
        return compare_csv(decided)
    if form is Format.JSON:
        return json_text(compare_document(decided))
    if form is Format.LATEX:
        return compare_latex(decided, compare_headline(decided), view)
    headline, blocked = compare_headline(decided), obstacles(decided)
    rest = [*reasons(decided), *legend(decided)]
    if form is Format.TEXT:
        provenance = [*origins(decided), f"Again: {decided.command}"]
        lines = prose([*blocked, *rest, *provenance], form, view.screen)
        above = on_screen([escape(headline, form)], view.screen)
        return "\n".join([*above, "", figures(decided, form, view), "", *lines])
    return "\n".join(
        [
            tag(decided, "compare"),
            *title(headline, form),
            "",
            figures(decided, form, view),
            "",
            *([*render_lines(blocked, form), ""] if blocked else []),
            *details("How it was compared", folded(rest, decided, form)),
        ]
    )


def title(headline: str, form: Format) -> list[str]:
    """Returns the headline of a page in Markdown or HTML."""
    line = strong(headline, form)
    return paragraph([line], form) if form is Format.HTML else [line]


def figures(decided: DecidedComparison, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders the figures, a table a task."""
    blocks = []
    for digest, numbered in by_task(decided.comparison).items():
        line = escape(task_line(numbered[0][1]), form)
        above = [line] if form is Format.MARKDOWN else paragraph([line], form)
        table = render_columns(comparison_columns(decided, numbered), form, view)
        below = prose([*table.notes, *new_case_lines(decided.comparison, digest)], form, view.screen)
        blocks.append("\n".join([*on_screen(above, view.screen), "", table.text, *(["", *below] if below else [])]))
        if costs := render_costs([model for _, model in numbered], form, view):
            blocks.append(costs)
    return "\n\n".join(blocks)


def folded(lines: Sequence[str], decided: DecidedComparison, form: Format) -> list[str]:
    """Returns what stands in the folded part of a page in Markdown or HTML."""
    rendered_lines = render_lines([*lines, *origins(decided)], form)
    if form is Format.HTML:
        return [*rendered_lines, f"<p>{code(decided.command, form)}</p>"]
    return [*rendered_lines, "", *code_block([decided.command])]
