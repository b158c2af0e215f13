"""The comparison of two record sets in every format. Markdown and HTML are made for a pull request."""

from collections.abc import Sequence

from recbench.escaping.data_files import json_text
from recbench.escaping.markdown import code_block
from recbench.records.grouping import TrialGroup
from recbench.reports.cells import NO_RANKS, code, escape, signed, strong, with_sd
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.document import compare_document
from recbench.reports.compare.evidence import Level, Measured
from recbench.reports.compare.gate import DecidedComparison
from recbench.reports.compare.headline import compare_headline
from recbench.reports.compare.lines import by_task, legend, new_case_lines, obstacles, origins, reasons, tag, task_line
from recbench.reports.compare.matching import Match
from recbench.reports.compare.table_csv import compare_csv
from recbench.reports.compare.table_latex import compare_latex
from recbench.reports.formats import Format
from recbench.reports.rendering import details, paragraph, render_lines, render_table

HEADERS = ("model", "metric", "baseline", "current", "difference (95 %)", "speed", "verdict")
ALIGNMENT = "llrrrrl"


def compare_table(decided: DecidedComparison, form: Format) -> str:
    """Renders a comparison; as CSV, the figures alone; as JSON, the document; as LaTeX, for papers.

    Args:
        decided: The comparison and its verdicts.
        form: How.
    """
    if form is Format.CSV:
        return compare_csv(decided)
    if form is Format.JSON:
        return json_text(compare_document(decided))
    if form is Format.LATEX:
        return compare_latex(decided, compare_headline(decided))
    headline, blocked = compare_headline(decided), obstacles(decided)
    rest = [*reasons(decided), *legend(decided)]
    if form is Format.TEXT:
        told = [*origins(decided), f"Again: {decided.command}"]
        lines = render_lines([*blocked, *rest, *told], form)
        return "\n".join([escape(headline, form), "", figures(decided, form), "", *lines])
    return "\n".join(
        [
            tag(decided, "compare"),
            *title(headline, form),
            "",
            figures(decided, form),
            "",
            *([*render_lines(blocked, form), ""] if blocked else []),
            *details("How it was compared", folded(rest, decided, form)),
        ]
    )


def title(headline: str, form: Format) -> list[str]:
    """Returns the headline of a page in Markdown or HTML."""
    line = strong(headline, form)
    return paragraph([line], form) if form is Format.HTML else [line]


def figures(decided: DecidedComparison, form: Format) -> str:
    """Renders the figures, a table a task."""
    parts = []
    for digest, numbered in by_task(decided.comparison).items():
        rows = [row for number, model in numbered for row in _rows(decided, number, model)]
        line = escape(task_line(numbered[0][1]), form)
        above = [line] if form is Format.MARKDOWN else paragraph([line], form)
        below = render_lines(new_case_lines(decided.comparison, digest), form)
        table = render_table(rows, HEADERS, ALIGNMENT, form)
        parts.append("\n".join([*above, "", table, *(["", *below] if below else [])]))
    return "\n\n".join(parts)


def folded(lines: Sequence[str], decided: DecidedComparison, form: Format) -> list[str]:
    """Returns what stands in the folded part of a page in Markdown or HTML."""
    told = render_lines([*lines, *origins(decided)], form)
    if form is Format.HTML:
        return [*told, f"<p>{code(decided.command, form)}</p>"]
    return [*told, "", *code_block([decided.command])]


def _rows(decided: DecidedComparison, number: int, model: Compared) -> list[list[str]]:
    rows = []
    for metric in decided.comparison.metrics:
        ratio = model.throughput_ratio
        rows.append(
            [
                model.label,
                decided.comparison.label(metric),
                *_figure_cells(model.measured, metric, model.match),
                f"{ratio:.2f}x" if ratio is not None and not model.obstacle else "",
                decided.decisions[number][metric].verdict.marked,
            ]
        )
    measure = decided.comparison.known_measure
    if model.known is not None and measure is not None:
        rows.append(
            [model.label, f"known {measure.label}", *_figure_cells(model.known, measure.name, model.match), "", ""]
        )
    return rows


def level_cell(level: Level | None, side: TrialGroup | None) -> str:
    """Returns the mean of one side; a dash where its records lack the ranks."""
    return NO_RANKS if level is None and side and side.done else with_sd(level.spread if level else None, 4)


def _figure_cells(measured: Measured, metric: str, match: Match) -> list[str]:
    """Returns the cells of BASE, CURRENT, and their difference."""
    evidence = measured.evidence.get(metric)
    return [
        level_cell(measured.base.get(metric), match.base),
        level_cell(measured.current.get(metric), match.current),
        f"{signed(evidence.difference)} ({signed(evidence.interval.low)} to {signed(evidence.interval.high)})"
        if evidence
        else "",
    ]
