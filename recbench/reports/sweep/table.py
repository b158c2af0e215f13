"""The table of a sweep. Figures are rounded in tables, and nowhere else."""

from recbench.reports.cells import with_sd
from recbench.reports.formats import CompareFormat
from recbench.reports.rendering import table
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import Spread
from recbench.reports.run.table import head, how_to_read
from recbench.reports.sweep.points import ADVICE, SweepPoint, sweep_points

METRICS = ("hr@10", "ndcg@10")
MEGABYTE = 2**20
SHORT_SECONDS = 0.1


def sweep_table(report: RunReport, parameter: str, form: CompareFormat = CompareFormat.TEXT) -> str:
    """Renders one line a value."""
    headers = [parameter]
    for metric in METRICS:
        headers += [metric.upper(), "95 %"]
    headers += ["fit s", "interactions/s", "peak MiB", "epochs", "status"]
    points = sweep_points(report, parameter)
    rows = [_row(point) for point in points]
    fixed = {name: value for name, value in sorted(report.summaries[0].parameters.items()) if name != parameter}
    others = ", ".join(f"{name}={value}" for name, value in fixed.items())
    lines = [
        *head(report, markdown=False),
        f"Model {report.summaries[0].model}" + (f"; {others}" if others else ""),
        "",
        table(rows, headers, "r" * (len(headers) - 1) + "l", form),
        "",
        # No mark for the best: it is not to be picked here.
        *[line for line in how_to_read(report, markdown=False) if line.startswith("95 %")],
        ADVICE,
        *report.uncertainty.notes,
        *report.timing_notes,
        *[f"{parameter}={point.value}, {error}" for point in points for error in point.summary.errors],
    ]
    return "\n".join(lines)


def _row(point: SweepPoint) -> list[str]:
    row = [str(point.value)]
    for metric in METRICS:
        standing = point.standings.get(metric)
        interval = standing.interval if standing else None
        row += [with_sd(point.summary.metrics.get(metric), 4)]
        row += ["" if interval is None else f"{interval.low:.3f}-{interval.high:.3f}"]
    row += [
        _seconds(point.summary.fit_seconds),
        _mean(point.summary.interactions_per_second, ",.0f"),
        "" if point.peak_bytes is None else f"{point.peak_bytes.mean / MEGABYTE:,.0f}",
        "" if point.summary.epochs is None else str(point.summary.epochs),
    ]
    return [*row, point.summary.status.value]


def _seconds(spread: Spread | None) -> str:
    return "" if spread is None else _mean(spread, ".2f" if spread.mean >= SHORT_SECONDS else ".4f")


def _mean(spread: Spread | None, form: str) -> str:
    return "" if spread is None else format(spread.mean, form)
