"""The part of a leaderboard that holds published results, in Markdown."""

from collections.abc import Sequence

from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.reports.cells import with_sd
from recbench.reports.formats import Format
from recbench.reports.pages.published_comparison import PublishedRow
from recbench.reports.rendering import render_lines, render_table

BELOW = "↓"
UNKNOWN = "-"
PER_TABLE = 2
"""Measures in one table: each takes two columns."""


def published_section(rows: Sequence[PublishedRow]) -> list[str]:
    """Renders the published results beside those of the records.

    Args:
        rows: From ``beside_published``.
    """
    if not rows:
        return []
    measures = list(dict.fromkeys(measure for row in rows for measure in row.result.figures))
    tables = [
        of_ranking[start : start + PER_TABLE]
        for ranking in Ranking
        if (of_ranking := [measure for measure in measures if measure.ranking is ranking])
        for start in range(0, len(of_ranking), PER_TABLE)
    ]
    notes = list(dict.fromkeys(row.result.note for row in rows if row.result.note))
    cells = [_cells(rows, shown, notes) for shown in tables]
    lines = ["## Published results", ""]
    for shown, of_table in zip(tables, cells, strict=True):
        labels, figures = [measure.label for measure in shown], "r" * len(shown)
        headers = ["published method", *labels, "model here", *(f"{label} here" for label in labels), "source"]
        lines += [render_table(of_table, headers, f"l{figures}l{figures}l", Format.MARKDOWN), ""]
    has_gaps = any(UNKNOWN in row for of_table in cells for row in of_table)
    return [*lines, *render_lines(_legend(rows, notes, has_gaps=has_gaps), Format.MARKDOWN), ""]


def _cells(rows: Sequence[PublishedRow], measures: Sequence[Measure], notes: Sequence[str]) -> list[list[str]]:
    """Returns the cells of some measures; the highest published value of the first of them comes first."""
    shown = [row for row in rows if row.result.figures.keys() & set(measures)]
    shown.sort(key=lambda row: row.result.figures.get(measures[0], -1), reverse=True)
    return [
        [
            row.result.method,
            *(str(row.result.figures.get(measure, UNKNOWN)) for measure in measures),
            row.name or UNKNOWN,
            *(_own_cell(row, measure) for measure in measures),
            row.result.source + (f" ({notes.index(row.result.note) + 1})" if row.result.note else ""),
        ]
        for row in shown
    ]


def _own_cell(row: PublishedRow, measure: Measure) -> str:
    own = row.own.get(measure)
    return UNKNOWN if own is None else with_sd(own.spread, 4) + f" {BELOW}" * (measure in row.below)


def _legend(rows: Sequence[PublishedRow], notes: Sequence[str], *, has_gaps: bool) -> list[str]:
    lines = [f"({number}) {note}" for number, note in enumerate(notes, 1)]
    if any(row.below for row in rows):
        lines.append(
            f"{BELOW}: significantly below the published value, which is above the model's 95 % confidence interval, "
            "and above its mean by more than the standard deviation over seeds. Published values are means without "
            "values by user, so the model's own interval is the test."
        )
    if has_gaps:
        lines.append(f"{UNKNOWN}: not published, or not in these records.")
    return lines
