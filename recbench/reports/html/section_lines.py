"""The sentences about one task of the report page: its size, the result, failures, and how to read the tables."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from recbench.counted import counted
from recbench.evaluation.metric import Measure
from recbench.records.schema import Status
from recbench.reports.cost_figures import cost_notes
from recbench.reports.formats import Format
from recbench.reports.pages.catalogue_caution import catalogue_caution
from recbench.reports.pages.ranked_report import correction_lines
from recbench.reports.run.findings import contradiction_notes
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.table import errors, how_to_read, interval_start

MOST_SHOWN: Final = 200
"""More configurations make a page that nobody reads, and that browsers are slow with."""
MOST_ERRORS: Final = 50


def facts(report: RunReport) -> str:
    """Returns the size of the task, its digest and the seeds, in a line."""
    record = report.summaries[0].group.record
    trials = [trial for summary in report.summaries for trial in summary.trials]
    seeds = sorted({trial.record.seed for trial in trials})
    return (
        f"{record.n_users:,} users with {record.n_cases:,} cases, {record.n_train:,} train rows; "
        f"{counted(len(report.summaries), 'configuration')}, {counted(len(trials), 'trial')}, "
        f"{'seeds' if seeds[1:] else 'seed'} {number_range(seeds)}. "
        f"Digest {record.task.digest[:19]}."
    )


def number_range(numbers: Sequence[int]) -> str:
    """Returns sorted numbers as text: numbers that follow each other by the first and the last."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers[:20])) + (", …" if numbers[20:] else "")


def findings(report: RunReport, measure: Measure) -> list[str]:
    """Returns the best model by a measure, and the models that are not significantly different from it."""
    ranked = [
        (summary, summary.figure(measure), standings.get(measure.name))
        for summary, standings in zip(report.summaries, report.uncertainty.standings, strict=True)
    ]
    best = [(summary, spread) for summary, spread, standing in ranked if spread and standing and standing.best]
    equal = [summary.name for summary, _, standing in ranked if standing and standing.level_with_best]
    if not best:
        known = [f"{measure.label} of {summary.name}: {spread.mean:.4f}." for summary, spread, _ in ranked if spread]
        return known[:1] or ["No trial has ranks, so there are no figures of quality."]
    names = " and ".join(summary.name for summary, _ in best)
    lines = [f"Best by {measure.label}: {names}, {best[0][1].mean:.4f}."]
    if equal:
        lines.append(f"Not significantly different from the best: {', '.join(equal)}.")
    elif len(ranked) > 1 and len(best) == 1:
        lines.append("It is significantly better than all others.")
    return lines


def failures(report: RunReport) -> list[str]:
    """Returns how many trials of which models are not done, by how they ended."""
    failures: dict[Status, list[str]] = {}
    for summary in report.summaries:
        # An interrupted trial has no error.
        ends = Counter(trial.record.status for trial in summary.trials if trial.record.status is not Status.DONE)
        for status, count in ends.items():
            text = f"{summary.name} ({count} of {counted(len(summary.trials), 'trial')})"
            failures.setdefault(status, []).append(text)
    return [
        f"{status.replace('-', ' ').capitalize()}: {', '.join(failures[status])}."
        for status in Status
        if status in failures
    ]


def notes(report: RunReport) -> list[str]:
    """Returns how to read the tables, and what to know of the figures."""
    left = len(report.summaries) - MOST_SHOWN
    trials = [trial for summary in report.summaries for trial in summary.trials]
    return [
        *how_to_read(report, Format.HTML, interval=interval_start(wide=False), best="★ and bold"),
        *contradiction_notes(report, most=None),
        *catalogue_caution(trials, report.columns, report.correction.uniform),
        *correction_lines(report),
        *report.uncertainty.notes,
        *report.code_notes,
        *report.tie_notes,
        *report.timing_notes,
        *cost_notes([trial.record for trial in trials]),
        *_first(errors(report), MOST_ERRORS, "more errors"),
        *([f"The {left:,} configurations with the lowest figures are in the CSV file."] if left > 0 else []),
    ]


def _first(lines: Sequence[str], most: int, what: str) -> list[str]:
    return [*lines[:most], f"{len(lines) - most:,} {what}."] if len(lines) > most else list(lines)
