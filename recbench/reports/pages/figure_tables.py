"""The figures of a page in three tables of few columns: accuracy, the full ranking, cost. Each fits a page of GitHub.

A cell of a metric holds the mean over seeds, and below it the confidence interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.escaping.markdown import markdown
from recbench.evaluation.ranking import Ranking
from recbench.records.schema import Status
from recbench.reports.cells import NO_BREAK, NO_RANKS, Markup, Strong, strong
from recbench.reports.cost_figures import present_figures
from recbench.reports.formats import Format
from recbench.reports.pages.configurations import Configuration
from recbench.reports.rendering import render_table
from recbench.reports.run.cost_table import cost_columns_of, done_records
from recbench.reports.run.model_columns import CORRECTED, EPOCHS, FIT, KNOWN, SPEED, STATUS, run_columns
from recbench.reports.run.run_report import RunReport

MOST_FIGURES = 5
"""The most columns of figures in a table: more are wider than a page, and go to another table."""


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A column of figures.

    Attributes:
        header: Its header.
        figures: For each configuration, the figure; empty for none.
        intervals: For each configuration, the confidence interval; empty for none.
    """

    header: str
    figures: Sequence[str]
    intervals: Sequence[str]


def metric_columns(report: RunReport, ranking: Ranking) -> list[FigureColumn]:
    """Returns the columns of the metrics in one ranking; corrected metrics are with the full ranking.

    Args:
        report: The report.
        ranking: Which metrics.
    """
    of_ranking = [column.name for column in report.columns if column.ranking is ranking]
    names = [*of_ranking, *(f"{KNOWN}{name}" for name in of_ranking)]
    if ranking is Ranking.FULL:
        names += [f"{CORRECTED}{column.name}" for column in report.columns]
    return _columns(report, names)


def cost_columns(report: RunReport) -> list[FigureColumn]:
    """Returns the columns of what training cost; with the status, if not all trials are done."""
    all_done = all(summary.status is Status.DONE for summary in report.summaries)
    # What is the same in each repetition comes first.
    columns = _columns(report, [EPOCHS, FIT, SPEED, *([] if all_done else [STATUS])])
    # A column with gaps would compare models that were not measured in the same way.
    costs = cost_columns_of(report.summaries, present_figures(done_records(report), in_all=True))
    looks = [cost.wide[0] for cost in costs]
    return columns + [FigureColumn(look.header, look.cells, [""] * len(look.cells)) for look in looks]


def figure_tables(columns: Sequence[FigureColumn], configurations: Sequence[Configuration]) -> list[str]:
    """Renders columns in Markdown; in several tables if one would be wider than a page.

    Args:
        columns: The columns.
        configurations: The configurations, one for each row.
    """
    lines = []
    for start in range(0, len(columns), MOST_FIGURES):
        shown = columns[start : start + MOST_FIGURES]
        rows = [
            [configuration.cell, *(_stacked(column.figures[number], column.intervals[number]) for column in shown)]
            for number, configuration in enumerate(configurations)
        ]
        headers = ["model", *(column.header for column in shown)]
        lines += [render_table(rows, headers, f"l{'r' * len(shown)}", Format.MARKDOWN), ""]
    return lines


def _columns(report: RunReport, names: Sequence[str]) -> list[FigureColumn]:
    """Returns the columns of these names, as far as the report has them, in this order."""
    known = {column.name: column.wide for column in run_columns(report)}
    chosen = [known[name] for name in names if name in known]
    return [
        FigureColumn(looks[0].header, looks[0].cells, looks[1].cells if looks[1:] else [""] * len(looks[0].cells))
        for looks in chosen
    ]


def _stacked(figure: str, interval: str) -> Markup:
    """Returns a cell of Markdown that holds a figure and its interval, each on a line that no browser breaks."""
    text = strong(figure, Format.MARKDOWN) if isinstance(figure, Strong) else markdown(figure)
    below = f"<br><sub>{markdown(interval)}</sub>" if interval and interval != NO_RANKS else ""
    return Markup(f"{text.replace(' ', NO_BREAK)}{below.replace(' ', NO_BREAK)}")
