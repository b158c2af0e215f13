"""The comparison table as CSV, in full precision."""

from itertools import zip_longest

from recbench.reports.rendering import csv_text
from recbench.reports.run.run_report import RunReport
from recbench.reports.spread import Spread


def run_csv(report: RunReport) -> str:
    """Renders one line a configuration; columns that a run does not have are left out."""
    names = [measure.name for measure in report.measures]
    correctable = [measure.name for measure in report.measures if measure.metric.gains is not None]
    corrected = any(summary.corrected for summary in report.summaries)
    header = ["model", *(f"{name}{part}" for name in names for part in ("", "_sd", "_low", "_high"))]
    header += [f"full_{name}" for name in names] * report.has_catalogue
    header += [f"corrected_{name}" for name in correctable] * corrected
    header += ["interactions_per_second", "fit_seconds", "epochs"]
    header += ["seconds_to_99_percent_of_final", "seconds_to_target"] if report.quality else []
    rows: list[list[object]] = []
    for summary, standings, one in zip_longest(report.summaries, report.uncertainty.standings, report.quality):
        row: list[object] = [summary.name]
        for name in names:
            spread, standing = summary.metrics.get(name), standings.get(name)
            interval = standing.interval if standing else None
            row += [spread.mean, spread.sd] if spread else [None, None]
            row += [interval.low, interval.high] if interval else [None, None]
        row += [_mean(summary.catalogue.get(name)) for name in names] * report.has_catalogue
        row += [_mean(summary.corrected.get(name)) for name in correctable] * corrected
        row += [_mean(summary.interactions_per_second), _mean(summary.fit_seconds), summary.epochs]
        row += [_mean(one.to_final), _mean(one.to_target)] if one else []
        rows.append([*row, summary.status.value])
    return csv_text(rows, [*header, "status"])


def _mean(spread: Spread | None) -> float | None:
    return spread.mean if spread else None
