"""The comparison as CSV: one line a model and metric, or figure of the cost in use, in full precision."""

from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.costs import compared_costs
from recbench.reports.compare.gate import DecidedComparison
from recbench.reports.rendering import csv_text

HEADERS = (
    "task", "digest", "model", "metric", "baseline", "baseline_sd", "baseline_seeds", "current", "current_sd",
    "current_seeds", "difference", "low", "high", "p", "p_holm", "seed_limit", "smallest_drop", "throughput_ratio",
    "verdict", "reasons",
)  # fmt: skip


def compare_csv(decided: DecidedComparison) -> str:
    """Renders the comparison."""
    rows: list[list[object]] = []
    for model, metric, decision in decided.cells():
        base, current = model.measured.base.get(metric), model.measured.current.get(metric)
        row: list[object] = [model.task.name, model.task.digest, model.label, metric]
        for level in (base, current):
            row += [level.spread.mean, level.spread.sd, len(level.spread.values)] if level else [None] * 3
        evidence = model.measured.evidence.get(metric)
        row += (
            [evidence.difference, evidence.interval.low, evidence.interval.high, evidence.p] if evidence else [None] * 4
        )
        row += [decision.p_adjusted, decision.seed_limit, decision.smallest_drop]
        row += [model.throughput_ratio, decision.verdict.value, "; ".join(decision.reasons)]
        rows.append(row)
    rows += [row for model in decided.comparison.models for row in _cost_rows(model)]
    return csv_text(rows, HEADERS)


def _cost_rows(model: Compared) -> list[list[object]]:
    """Returns a line for each figure of the cost in use, without a test and without a verdict."""
    rows: list[list[object]] = []
    for cost in compared_costs(model):
        row: list[object] = [model.task.name, model.task.digest, model.label, cost.figure.key]
        for spread in (cost.base, cost.current):
            row += [spread.mean, spread.sd, len(spread.values)]
        row.append(cost.current.mean - cost.base.mean)
        rows.append([*row, *[None] * (len(HEADERS) - len(row))])
    return rows
