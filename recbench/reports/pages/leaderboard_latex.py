"""The figures of a leaderboard as LaTeX, for papers: accuracy, the full ranking, cost."""

from collections.abc import Sequence

from recbench.evaluation.ranking import Ranking
from recbench.reports.formats import Format
from recbench.reports.pages.catalogue_caution import catalogue_caution
from recbench.reports.pages.figure_tables import FigureColumn, cost_columns, metric_columns
from recbench.reports.pages.leaderboard import LeaderboardSources
from recbench.reports.rendering import render_lines, render_table
from recbench.reports.run.table import errors, how_to_read
from recbench.reports.timing_notes import timing_notes


def leaderboard_latex(sources: LeaderboardSources) -> str:
    """Renders a table for each part of the leaderboard, with its legend as comments.

    Raises:
        RecbenchError: The records are of different tasks.
    """
    form = Format.LATEX
    report, configurations = sources.report()
    names = [configuration.summary.name for configuration in configurations]
    record = sources.trials[0].record
    task = f"Task {record.task.name} {record.task.digest[:19]}: {record.n_cases:,} cases of {record.n_users:,} users"
    accuracy, full = (metric_columns(report, ranking) for ranking in Ranking)
    columns_by_title = {"Accuracy": accuracy, "Full ranking": full, "Cost": cost_columns(report)}
    tables = [
        "\n".join([*render_lines([title], form), _table(names, columns)])
        for title, columns in columns_by_title.items()
        if columns
    ]
    caution = catalogue_caution(sources.trials, report.measures, report.correction.uniform)
    doubts = [*report.code_notes, *timing_notes([trial.record for trial in sources.trials]), *errors(report)]
    legend = [*how_to_read(report, form), *caution, *report.uncertainty.notes, *doubts]
    head = "\n".join(render_lines([task], form))
    return "\n\n".join([head, *tables, "\n".join(render_lines(legend, form))]) + "\n"


def _table(names: Sequence[str], columns: Sequence[FigureColumn]) -> str:
    headers, alignment, cells = ["model"], "l", [list(names)]
    for column in columns:
        headers.append(column.header)
        cells.append(list(column.figures))
        alignment += "r"
        if any(column.intervals):
            headers.append("95 %")
            cells.append(list(column.intervals))
            alignment += "r"
    return render_table(list(zip(*cells, strict=True)), headers, alignment, Format.LATEX)
