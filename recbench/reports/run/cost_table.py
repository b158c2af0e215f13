"""What models cost in use: the columns of the table of a run, and a table of their own."""

from collections.abc import Sequence

from recbench.escaping.data_files import json_text
from recbench.records.schema import Record
from recbench.reports.column_rendering import prose, render_columns
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.cost_figures import COST_FIGURES, CostFigure, cost_notes, present_figures
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary
from recbench.reports.screen import Screen
from recbench.reports.view import View

COST_NAMES = tuple(figure.name for figure in COST_FIGURES)


def cost_columns_of(summaries: Sequence[ModelSummary], figures: Sequence[CostFigure]) -> list[Column]:
    """Returns a column for each figure: the means over seeds; empty where a seed does not have it."""
    columns = []
    for place, figure in enumerate(figures, start=1):
        spreads = [figure.spread(summary.group.done) for summary in summaries]
        cells = ["" if spread is None else figure.text(spread.mean) for spread in spreads]
        sign = -1 if figure.is_rate else 1
        keys = [None if spread is None else sign * spread.mean for spread in spreads]
        columns.append(Column(figure.name, (Look(figure.header, cells, rank=place),), keys=keys))
    return columns


def done_records(report: RunReport) -> list[Record]:
    """Returns the records of a run that are done."""
    return [trial.record for summary in report.summaries for trial in summary.group.done]


def cost_table(report: RunReport, form: Format, screen: Screen | None = None) -> str:
    """Renders one line a model; CSV and JSON have the means in full precision, and no legend.

    Args:
        report: The run.
        form: How to render it.
        screen: The terminal that plain text has to fit; None for the wide table.
    """
    records = done_records(report)
    figures = present_figures(records)
    if form in (Format.CSV, Format.JSON):
        header = ["model", *(figure.key for figure in figures)]
        rows = [
            [
                summary.name,
                *(spread.mean if (spread := figure.spread(summary.group.done)) else None for figure in figures),
            ]
            for summary in report.summaries
        ]
        if form is Format.CSV:
            return csv_text(rows, header)
        return json_text([dict(zip(header, row, strict=True)) for row in rows])
    names = text_column("model", [summary.name for summary in report.summaries], cut=Cut.MIDDLE)
    shown = render_columns([names, *cost_columns_of(report.summaries, figures)], form, View(screen=screen))
    return "\n".join([shown.text, "", *prose([*shown.notes, *cost_notes(records)], form, screen)])


def has_served(report: RunReport) -> bool:
    """Whether any model was measured in use."""
    return any(record.serving is not None for record in done_records(report))
