"""A suite as a JSON document, in full precision."""

from itertools import combinations

from recbench.reports.suite.document_types import SuiteDocument, SuiteModelDocument, SuitePairDocument
from recbench.reports.suite.suite_report import Standing, SuiteReport


def suite_document(report: SuiteReport) -> SuiteDocument:
    """Returns the document."""
    return {
        "schema": 1,
        "suite": report.name,
        "metric": report.measure.name,
        "verdict": report.headline,
        "tasks": [{"name": task.name, "digest": task.digest} for task in report.tasks],
        "models": [_model(one, [task.name for task in report.tasks]) for one in report.standings],
        "pairs": [_pair(report, first, second) for first, second in combinations(range(len(report.standings)), 2)],
        "critical_difference": report.critical_difference,
        "neighbours_decided": report.neighbours_decided,
        "missing": [{"task": one.task, "model": one.model, "reason": one.reason} for one in report.missing],
    }


def _model(one: Standing, tasks: list[str]) -> SuiteModelDocument:
    return {
        "name": one.name,
        "model": one.model,
        "source": one.source,
        "machines": list(one.machines),
        "mean_rank": one.mean_rank,
        "mean_rank_interval": (one.rank_interval.low, one.rank_interval.high),
        "relative_score": one.relative_score,
        "relative_score_interval": (one.score_interval.low, one.score_interval.high),
        "scores": dict(zip(tasks, one.scores, strict=True)),
        "ranks": dict(zip(tasks, one.ranks, strict=True)),
        "fit_seconds": one.fit_seconds,
        "on_pareto_front": one.on_front,
        "best": one.best,
        "level_with_best": one.level_with_best,
    }


def _pair(report: SuiteReport, first: int, second: int) -> SuitePairDocument:
    won, lost = int(report.wins[first, second]), int(report.wins[second, first])
    return {
        "first": report.standings[first].name,
        "second": report.standings[second].name,
        "won": won,
        "lost": lost,
        "tied": len(report.tasks) - won - lost,
        "p_nemenyi": float(report.p_nemenyi[first, second]),
    }
