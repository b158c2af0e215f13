"""The JSON document of a run. Keys are only ever added."""

from collections.abc import Mapping
from typing import Final, cast

from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.metric import FULL_PREFIX
from recbench.reports.cost_figures import COST_FIGURES
from recbench.reports.document_types import Interval as Ends
from recbench.reports.document_types import SpreadDocument
from recbench.reports.run.document_types import (
    ContradictionDocument,
    CurvePointDocument,
    MetricDocument,
    PairDocument,
    RecordedTaskDocument,
    ReportDocument,
    ResultDocument,
    RunDocument,
    TaskDocument,
    TimeToQualityDocument,
)
from recbench.reports.run.findings import (
    Contradiction,
    below_popularity_notes,
    contradiction_notes,
    contradictions,
)
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.settings_notes import settings_document
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.time_to_quality import TimeToQuality
from recbench.reports.run.uncertainty import Pair, Standing
from recbench.reports.spread import Spread

SCHEMA: Final = 1


def run_document(report: RunReport) -> RunDocument:
    """Returns the document."""
    results = [
        _result(summary, standings, known)
        for summary, standings, known in zip(
            report.summaries, report.uncertainty.standings, report.of_known_cases, strict=True
        )
    ]
    for result, time_to_quality in zip(results, report.quality, strict=False):
        result["time_to_quality"] = _time_to_quality(time_to_quality)
    for result, summary in zip(results, report.summaries, strict=True):
        done = summary.group.done
        if costs := {figure.key: spread for figure in COST_FIGURES if (spread := figure.spread(done)) is not None}:
            result["costs"] = {key: _some_spread(spread) for key, spread in costs.items()}
    correction_note = report.correction.note()
    notes = [*report.uncertainty.notes, *report.code_notes, *report.tie_notes, *report.timing_notes]
    return {
        "schema": SCHEMA,
        "task": cast(TaskDocument, report.task),
        "settings": settings_document(report.settings, report.records) if report.settings else None,
        "results": results,
        "pairs": [pair_document(pair, report) for pair in report.uncertainty.pairs],
        "contradictions": [_contradiction(contradiction, report) for contradiction in contradictions(report)],
        "caution": report.caution,
        "new_cases": report.known.counts.document() if report.known else None,
        "correction": report.correction.document(),
        "notes": [
            *([correction_note] if correction_note else []),
            *report.copy_notes,
            *below_popularity_notes(report),
            *contradiction_notes(report),
            *notes,
        ],
        "environment": report.environment.model_dump(mode="json"),
    }


def report_document(report: RunReport) -> ReportDocument:
    """Returns the document of records without their task: the same figures, and what the records say of the task."""
    record = report.summaries[0].group.record
    task: RecordedTaskDocument = {
        "name": record.task.name,
        "digest": record.task.digest,
        "n_users": record.n_users,
        "n_items": record.n_items,
        "n_train": record.n_train,
        "n_cases": record.n_cases,
    }
    return cast(ReportDocument, {**run_document(report), "task": task})


def _result(
    summary: ModelSummary, standings: dict[str, Standing], known: Mapping[str, Spread | None]
) -> ResultDocument:
    return {
        "model": summary.model,
        "name": summary.name,
        "status": summary.status,
        "seeds": [trial.record.seed for trial in summary.trials],
        "metrics": {name: _metric(spread, standings.get(name)) for name, spread in summary.metrics.items()},
        "full": {
            name: _metric(spread, standings.get(f"{FULL_PREFIX}{name}")) for name, spread in summary.catalogue.items()
        },
        "corrected": {name: _spread(spread) for name, spread in summary.corrected.items()},
        "cohorts": {
            name: [
                {
                    "lowest": cohort.lowest,
                    "highest": cohort.highest,
                    "n_cases": cohort.n_cases,
                    "hr": _some_spread(cohort.hr),
                }
                for cohort in cohorts
            ]
            for name, cohorts in summary.cohorts.items()
        },
        "interactions_per_second": _spread(summary.interactions_per_second),
        "shared_machine": summary.shared_machine,
        "throughput_doubts": summary.throughput_doubts,
        "fit_seconds": _spread(summary.fit_seconds),
        "fit_cpu_seconds": _spread(summary.fit_cpu_seconds),
        "epochs": summary.epochs,
        "threads": summary.group.record.threads,
        "device": summary.group.record.device,
        "params": summary.parameters,
        "errors": summary.errors,
        "curves": [
            [cast(CurvePointDocument, point.model_dump()) for point in trial.record.curve] for trial in summary.trials
        ],
        "records": [trial.place for trial in summary.trials],
        "known": {name: _spread(spread) for name, spread in known.items()},
    }


def _metric(spread: Spread, standing: Standing | None) -> MetricDocument:
    figures = _some_spread(spread)
    if standing is None:
        return cast(MetricDocument, figures)
    return {
        **figures,
        "interval": _interval(standing.interval),
        "best": standing.best,
        "level_with_best": standing.level_with_best,
        "below_popularity": standing.below_reference,
    }


def pair_document(pair: Pair, report: RunReport) -> PairDocument:
    """Returns the object of one pair of models."""
    first, second = report.summaries[pair.first], report.summaries[pair.second]
    evidence = pair.evidence
    return {
        "metric": pair.measure.name,
        "ranking": pair.measure.ranking,
        "first": first.model,
        "second": second.model,
        "first_name": first.name,
        "second_name": second.name,
        "first_result": pair.first,
        "second_result": pair.second,
        "difference": evidence.difference,
        "interval": _interval(evidence.interval),
        "p": evidence.p,
        "p_holm": pair.p_adjusted,
        "p_mcnemar": None if pair.mcnemar is None else list(pair.mcnemar),
        "won": evidence.won,
        "tied": pair.tied,
        "lost": evidence.lost,
        "detectable_difference": pair.detectable,
    }


def _contradiction(contradiction: Contradiction, report: RunReport) -> ContradictionDocument:
    names = [report.summaries[number].name for number in (contradiction.sampled_winner, contradiction.full_winner)]
    return {
        "metric": contradiction.measure.name,
        "full_metric": contradiction.full.measure.name,
        "better_among_candidates": names[0],
        "better_in_full_ranking": names[1],
        "difference": abs(contradiction.sampled.evidence.difference),
        "p_holm": contradiction.sampled.p_adjusted,
        "full_difference": -abs(contradiction.full.evidence.difference),
        "full_p_holm": contradiction.full.p_adjusted,
    }


def _time_to_quality(time_to_quality: TimeToQuality) -> TimeToQualityDocument:
    return {
        "metric": time_to_quality.metric,
        "seconds_to_99_percent_of_final": _spread(time_to_quality.to_final),
        "target": time_to_quality.target,
        "seconds_to_target": _spread(time_to_quality.to_target),
        "seeds_that_reached_target": time_to_quality.reached,
    }


def _interval(interval: Interval | None) -> Ends | None:
    return None if interval is None else [interval.low, interval.high]


def _spread(spread: Spread | None) -> SpreadDocument | None:
    return None if spread is None else _some_spread(spread)


def _some_spread(spread: Spread) -> SpreadDocument:
    return {"mean": spread.mean, "sd": spread.sd, "values": list(spread.values)}
