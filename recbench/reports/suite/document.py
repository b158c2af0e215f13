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
        "models": [_model(standing, [task.name for task in report.tasks]) for standing in report.standings],
        "pairs": [_pair(report, first, second) for first, second in combinations(range(len(report.standings)), 2)],
        "critical_difference": report.critical_difference,
        "neighbours_decided": report.neighbours_decided,
        "missing": [{"task": gap.task, "model": gap.model, "reason": gap.reason} for gap in report.missing],
        "settings_notes": list(report.settings_notes),
    }


def _model(standing: Standing, tasks: list[str]) -> SuiteModelDocument:
    return {
        "name": standing.name,
        "model": standing.model,
        "source": standing.source,
        "machines": list(standing.machines),
        "mean_rank": standing.mean_rank,
        "mean_rank_interval": (standing.rank_interval.low, standing.rank_interval.high),
        "relative_score": standing.relative_score,
        "relative_score_interval": (standing.score_interval.low, standing.score_interval.high),
        "scores": dict(zip(tasks, standing.scores, strict=True)),
        "ranks": dict(zip(tasks, standing.ranks, strict=True)),
        "fit_seconds": standing.fit_seconds,
        "on_pareto_front": standing.on_front,
        "best": standing.best,
        "level_with_best": standing.level_with_best,
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
