"""The comparison table as CSV, in full precision, with every metric that the JSON document has."""

from itertools import zip_longest

from recbench.evaluation.metric import FULL_PREFIX
from recbench.evaluation.ranking import Ranking
from recbench.reports.cost_figures import present_figures
from recbench.reports.rendering import csv_text
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.uncertainty import Standing
from recbench.reports.spread import Spread

PARTS = ("", "_sd", "_low", "_high")


def run_csv(report: RunReport) -> str:
    """Renders one line a configuration; columns that a run does not have are left out.

    The shown measures have columns for their standard deviation over seeds and their confidence interval; those of the
    full ranking begin with ``full_``. The others have their mean alone, like corrected ones (``corrected_``), and HR by
    cohort, such as ``hr_history_1`` of the cases with the shortest histories. Where some cases are of items or users
    without train rows, the shown measures also have their mean over the other cases (``known_``, ``known_full_``).
    """
    shown, shown_full = (
        [measure.base_name for measure in report.measures if measure.ranking is ranking] for ranking in Ranking
    )
    summaries = report.summaries
    further = [name for name in _names(summaries, "metrics") if name not in shown]
    full, corrected = (_names(summaries, kind) for kind in ("catalogue", "corrected"))
    full = [*shown_full, *(name for name in full if name not in shown_full)]
    cohorts = list(dict.fromkeys(name for summary in summaries for name in _cohorts(summary)))
    header = ["model", *(f"{name}{part}" for name in shown for part in PARTS)]
    header += [*further, *(f"full_{name}{part}" for name in full for part in (PARTS if name in shown_full else ("",)))]
    of_known = list(dict.fromkeys(name for known in report.of_known_cases for name in known))
    header += [f"known_{name.replace(FULL_PREFIX, 'full_')}" for name in of_known]
    header += [*(f"corrected_{name}" for name in corrected), *cohorts]
    header += ["interactions_per_second", "fit_seconds", "fit_cpu_seconds", "epochs", "throughput_doubts"]
    costs = present_figures([trial.record for summary in summaries for trial in summary.group.done])
    header += [figure.key for figure in costs]
    header += ["seconds_to_99_percent_of_final", "seconds_to_target"] if report.quality else []
    rows: list[list[object]] = []
    columns = (summaries, report.uncertainty.standings, report.of_known_cases, report.quality)
    for summary, standings, known, time_to_quality in zip_longest(*columns):
        row: list[object] = [summary.name]
        for name in shown:
            row += _parts(summary.metrics.get(name), standings.get(name))
        row += [_mean(summary.metrics.get(name)) for name in further]
        for name in full:
            cells = _parts(summary.catalogue.get(name), standings.get(f"{FULL_PREFIX}{name}"))
            row += cells if name in shown_full else cells[:1]
        row += [_mean(known.get(name)) for name in of_known]
        row += [_mean(summary.corrected.get(name)) for name in corrected]
        row += [_mean(_cohorts(summary).get(name)) for name in cohorts]
        row += [
            _mean(spread) for spread in (summary.interactions_per_second, summary.fit_seconds, summary.fit_cpu_seconds)
        ]
        row += [summary.epochs, "; ".join(summary.throughput_doubts) or None]
        row += [_mean(figure.spread(summary.group.done)) for figure in costs]
        row += [_mean(time_to_quality.to_final), _mean(time_to_quality.to_target)] if time_to_quality else []
        rows.append([*row, summary.status.value])
    return csv_text(rows, [*header, "status"])


def _names(summaries: tuple[ModelSummary, ...], kind: str) -> list[str]:
    """Returns the metrics of that kind that any of the configurations has."""
    return list(dict.fromkeys(name for summary in summaries for name in getattr(summary, kind)))


def _parts(spread: Spread | None, standing: Standing | None) -> list[float | None]:
    """Returns the cells of a measure: mean, standard deviation, and both ends of its confidence interval."""
    interval = standing.interval if standing else None
    return [
        *([spread.mean, spread.sd] if spread else [None, None]),
        *([interval.low, interval.high] if interval else [None, None]),
    ]


def _cohorts(summary: ModelSummary) -> dict[str, Spread]:
    return {
        f"hr_{name}_{number}": cohort.hr
        for name, cohorts in summary.cohorts.items()
        for number, cohort in enumerate(cohorts, 1)
    }


def _mean(spread: Spread | None) -> float | None:
    return spread.mean if spread else None
