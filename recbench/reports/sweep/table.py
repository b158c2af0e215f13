"""The table of a sweep. Figures are rounded in tables, and nowhere else."""

from collections.abc import Sequence

from recbench.escaping.data_files import json_text
from recbench.evaluation.metric_names import DEFAULT_METRICS, measures_at
from recbench.reports.cells import escape
from recbench.reports.column_rendering import on_screen, prose, render_columns
from recbench.reports.columns import Column, Cut, Look
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text, paragraph
from recbench.reports.run.model_columns import (
    MODEL,
    TO_FINAL,
    TO_TARGET,
    epochs_column,
    fit_column,
    known_columns,
    measure_columns,
    run_column_names,
    speed_column,
    status_column,
)
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.table import head, how_to_read, interval_start, narrow_notes, short_fit_notes
from recbench.reports.sweep.points import ADVICE, SweepPoint, sweep_document, sweep_points
from recbench.reports.view import DEFAULT_VIEW, View

DEFAULT_K = 10
"""The cut-off of the trials of a sweep."""
MEGABYTE = 2**20
VALUE, MEMORY = "value", "memory"
"""Names of the columns that the table of a run does not have."""
MEMORY_RANK = 8


def sweep_table(report: RunReport, parameter: str, form: Format = Format.TEXT, view: View = DEFAULT_VIEW) -> str:
    """Renders one line a value.

    Args:
        report: A run of one model, whose configurations differ in that parameter alone.
        parameter: Its name.
        form: CSV has full precision and no lines around it; JSON is the document; LaTeX has the lines as comments.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
    points = sweep_points(report, parameter)
    if form is Format.JSON:
        return json_text(sweep_document(report, parameter))
    if form is Format.CSV:
        return _csv(report, parameter, points)
    table = render_columns(_columns(report, parameter, points), form, view)
    fixed = {name: value for name, value in sorted(report.summaries[0].parameters.items()) if name != parameter}
    others = ", ".join(f"{name}={value}" for name, value in fixed.items())
    model = f"Model {report.summaries[0].model}" + (f"; {others}" if others else "")
    interval = interval_start(wide=table.wide)
    notes = [
        *table.notes,
        # No mark for the best: it is not to be picked here.
        *[line for line in how_to_read(report, form, interval=interval) if line.startswith(interval)],
        *([] if table.wide else narrow_notes()),
        *short_fit_notes(report.summaries),
        *([report.known.line] if report.known else []),
        ADVICE,
        *report.uncertainty.notes,
        *report.code_notes,
        *report.timing_notes,
        *[f"{parameter}={point.value}, {error}" for point in points for error in point.summary.errors],
    ]
    above = [*head(report, form, deviations=table.wide), *paragraph([escape(model, form)], form)]
    legend = prose(notes, form, view.screen)
    return "\n".join([*on_screen(above, view.screen), "", table.text, "", *legend])


def sweep_column_names() -> list[str]:
    """Returns the names of all columns that the table of some sweep has."""
    names = run_column_names(measures_at(DEFAULT_METRICS, (DEFAULT_K,)))
    return [VALUE, *(name for name in names if name not in (MODEL, TO_FINAL, TO_TARGET)), MEMORY]


def _columns(report: RunReport, parameter: str, points: Sequence[SweepPoint]) -> list[Column]:
    values = [point.value for point in points]
    numbers = [value for value in values if isinstance(value, int | float)]
    value_cells = Look(parameter, [str(value) for value in values])
    peaks = [point.peak_bytes.mean / MEGABYTE if point.peak_bytes else None for point in points]
    memory = Look("peak MiB", ["" if peak is None else f"{peak:,.0f}" for peak in peaks], rank=MEMORY_RANK)
    return [
        Column(VALUE, (value_cells,), keys=numbers if len(numbers) == len(values) else (), cut=Cut.MIDDLE),
        *measure_columns(report, report.columns, marks=False),
        *known_columns(report),
        fit_column(report.summaries),
        speed_column(report.summaries),
        Column(MEMORY, (memory,), keys=peaks),
        epochs_column(report.summaries),
        status_column(report.summaries),
    ]


def _csv(report: RunReport, parameter: str, points: list[SweepPoint]) -> str:
    names = [measure.name for measure in report.measures]
    headers = [parameter, *(f"{name}{part}" for name in names for part in ("", "_sd", "_low", "_high"))]
    rows: list[list[object]] = []
    for point in points:
        row: list[object] = [point.value]
        for measure in report.measures:
            spread, standing = point.summary.figure(measure), point.standings.get(measure.name)
            interval = standing.interval if standing else None
            row += [spread.mean, spread.sd] if spread else [None, None]
            row += [interval.low, interval.high] if interval else [None, None]
        costs = (point.summary.fit_seconds, point.summary.interactions_per_second, point.peak_bytes)
        row += [cost.mean if cost else None for cost in costs]
        rows.append([*row, point.summary.epochs, point.summary.status.value])
    costs_of = ["fit_seconds", "interactions_per_second", "process_peak_rss_bytes", "epochs", "status"]
    return csv_text(rows, [*headers, *costs_of])
