"""The comparison table as CSV, in full precision, with every metric that the JSON document has."""

from itertools import zip_longest

from recbench.reports.rendering import csv_text
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary
from recbench.reports.spread import Spread


def run_csv(report: RunReport) -> str:
    """Renders one line a configuration; columns that a run does not have are left out.

    The shown measures have columns for their standard deviation over seeds and their confidence interval. The others
    have their mean alone, like all metrics of the full ranking (``full_``), corrected ones (``corrected_``), and HR by
    cohort, such as ``hr_history_1`` of the cases with the shortest histories.
    """
    shown = [measure.name for measure in report.measures]
    summaries = report.summaries
    further = [name for name in _names(summaries, "metrics") if name not in shown]
    full, corrected = (_names(summaries, kind) for kind in ("catalogue", "corrected"))
    cohorts = list(dict.fromkeys(name for summary in summaries for name in _cohorts(summary)))
    header = ["model", *(f"{name}{part}" for name in shown for part in ("", "_sd", "_low", "_high"))]
    header += [*further, *(f"full_{name}" for name in full), *(f"corrected_{name}" for name in corrected), *cohorts]
    header += ["interactions_per_second", "fit_seconds", "fit_cpu_seconds", "epochs", "throughput_doubts"]
    header += ["seconds_to_99_percent_of_final", "seconds_to_target"] if report.quality else []
    rows: list[list[object]] = []
    for summary, standings, one in zip_longest(summaries, report.uncertainty.standings, report.quality):
        row: list[object] = [summary.name]
        for name in shown:
            spread, standing = summary.metrics.get(name), standings.get(name)
            interval = standing.interval if standing else None
            row += [spread.mean, spread.sd] if spread else [None, None]
            row += [interval.low, interval.high] if interval else [None, None]
        row += [_mean(summary.metrics.get(name)) for name in further]
        row += [_mean(summary.catalogue.get(name)) for name in full]
        row += [_mean(summary.corrected.get(name)) for name in corrected]
        row += [_mean(_cohorts(summary).get(name)) for name in cohorts]
        row += [_mean(one) for one in (summary.interactions_per_second, summary.fit_seconds, summary.fit_cpu_seconds)]
        row += [summary.epochs, "; ".join(summary.throughput_doubts) or None]
        row += [_mean(one.to_final), _mean(one.to_target)] if one else []
        rows.append([*row, summary.status.value])
    return csv_text(rows, [*header, "status"])


def _names(summaries: tuple[ModelSummary, ...], kind: str) -> list[str]:
    """Returns the metrics of that kind that any of the configurations has."""
    return list(dict.fromkeys(name for summary in summaries for name in getattr(summary, kind)))


def _cohorts(summary: ModelSummary) -> dict[str, Spread]:
    return {
        f"hr_{name}_{number}": cohort.hr
        for name, cohorts in summary.cohorts.items()
        for number, cohort in enumerate(cohorts, 1)
    }


def _mean(spread: Spread | None) -> float | None:
    return spread.mean if spread else None
