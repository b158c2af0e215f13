"""The table of a sweep. Figures are rounded in tables, and nowhere else."""

from recbench.escaping.data_files import json_text
from recbench.reports.cells import escape, with_sd
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text, paragraph, render_lines, render_table
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.table import head, how_to_read, interval_cell, known_columns, throughput_cell
from recbench.reports.spread import Spread
from recbench.reports.sweep.points import ADVICE, SweepPoint, sweep_document, sweep_points

MEGABYTE = 2**20
SHORT_SECONDS = 0.1


def sweep_table(report: RunReport, parameter: str, form: Format = Format.TEXT) -> str:
    """Renders one line a value.

    Args:
        report: A run of one model, whose configurations differ in that parameter alone.
        parameter: Its name.
        form: CSV has full precision and no lines around it; JSON is the document; LaTeX has the lines as comments.
    """
    points = sweep_points(report, parameter)
    if form is Format.JSON:
        return json_text(sweep_document(report, parameter))
    if form is Format.CSV:
        return _csv(report, parameter, points)
    headers = [parameter]
    for measure in report.columns:
        headers += [measure.label, "95 %"]
    headers += [f"known {measure.label}" for measure in known_columns(report)]
    headers += ["fit s", "interactions/s", "peak MiB", "epochs", "status"]
    fixed = {name: value for name, value in sorted(report.summaries[0].parameters.items()) if name != parameter}
    others = ", ".join(f"{name}={value}" for name, value in fixed.items())
    model = f"Model {report.summaries[0].model}" + (f"; {others}" if others else "")
    notes = [
        # No mark for the best: it is not to be picked here.
        *[line for line in how_to_read(report, form) if line.startswith("95 %")],
        *([report.known.line] if report.known else []),
        ADVICE,
        *report.uncertainty.notes,
        *report.code_notes,
        *report.timing_notes,
        *[f"{parameter}={point.value}, {error}" for point in points for error in point.summary.errors],
    ]
    rows = [_row(point, report) for point in points]
    return "\n".join(
        [
            *head(report, form),
            *paragraph([escape(model, form)], form),
            "",
            render_table(rows, headers, "r" * (len(headers) - 1) + "l", form),
            "",
            *render_lines(notes, form),
        ]
    )


def _row(point: SweepPoint, report: RunReport) -> list[str]:
    row = [str(point.value)]
    for measure in report.columns:
        standing = point.standings.get(measure.name)
        interval = standing.interval if standing else None
        row += [with_sd(point.summary.figure(measure), 4)]
        row += ["" if interval is None else interval_cell(measure, interval)]
    known = report.of_known_cases[report.summaries.index(point.summary)]
    row += [with_sd(known.get(measure.name), 4) for measure in known_columns(report)]
    row += [
        _seconds(point.summary.fit_seconds),
        throughput_cell(point.summary),
        "" if point.peak_bytes is None else f"{point.peak_bytes.mean / MEGABYTE:,.0f}",
        "" if point.summary.epochs is None else str(point.summary.epochs),
    ]
    return [*row, point.summary.status.value]


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
        row += [one.mean if one else None for one in costs]
        rows.append([*row, point.summary.epochs, point.summary.status.value])
    costs_of = ["fit_seconds", "interactions_per_second", "process_peak_rss_bytes", "epochs", "status"]
    return csv_text(rows, [*headers, *costs_of])


def _seconds(spread: Spread | None) -> str:
    return "" if spread is None else _mean(spread, ".2f" if spread.mean >= SHORT_SECONDS else ".4f")


def _mean(spread: Spread | None, form: str) -> str:
    return "" if spread is None else format(spread.mean, form)
