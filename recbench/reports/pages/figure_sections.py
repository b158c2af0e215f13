"""The figures of the records of one task, as sections of a page with their legends: accuracy, full ranking, cost."""

from collections.abc import Sequence

from recbench.evaluation.ranking import Ranking
from recbench.records.finished_trial import FinishedTrial
from recbench.reports.cost_figures import cost_notes, present_figures
from recbench.reports.formats import Format
from recbench.reports.pages.catalogue_caution import catalogue_caution
from recbench.reports.pages.configurations import Configuration
from recbench.reports.pages.figure_tables import FigureColumn, cost_columns, figure_tables, metric_columns
from recbench.reports.pages.ranked_report import correction_lines
from recbench.reports.rendering import render_lines
from recbench.reports.run.cost_table import done_records
from recbench.reports.run.findings import contradiction_notes
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.table import errors, how_to_read
from recbench.reports.timing_notes import timing_notes


def figure_sections(
    trials: Sequence[FinishedTrial], report: RunReport, configurations: Sequence[Configuration], heading: str
) -> list[str]:
    """Renders the sections, in Markdown.

    Args:
        trials: The records.
        report: What they say.
        configurations: The configurations of its summaries.
        heading: The marks of a heading, such as ``##``.
    """
    near, full = (metric_columns(report, ranking) for ranking in Ranking)
    how = how_to_read(report, Format.MARKDOWN, interval="Below each figure: 95 %")
    reading = [*how, *report.uncertainty.notes, *report.code_notes]
    of_full = [*contradiction_notes(report, most=None), *correction_lines(report)]
    costs = present_figures(done_records(report), in_all=True)
    of_cost = [*timing_notes([trial.record for trial in trials]), *errors(report)]
    of_cost += cost_notes(done_records(report)) if costs else []
    caution = catalogue_caution(trials, report.measures, report.correction.uniform)
    sections: list[tuple[str, list[FigureColumn], list[str]]] = [
        ("Accuracy", near, [*reading, *caution]),
        ("Full ranking", full, of_full if near else [*reading, *of_full]),
        ("Cost", cost_columns(report), of_cost),
    ]
    lines = []
    for title, columns, notes in sections:
        if columns:
            lines += [f"{heading} {title}", "", *figure_tables(columns, configurations)]
            lines += [*render_lines(notes, Format.MARKDOWN), ""] if notes else []
    return lines
