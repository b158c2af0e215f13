"""The outcome of a comparison in one sentence."""

from collections.abc import Sequence

from recbench.reports.compare.gate import DecidedComparison, GateOutcome, GateReport
from recbench.reports.compare.verdict import Verdict

NAMED = 3
"""More models than these are counted, not named."""

WORST_FIRST = (
    Verdict.FAILED,
    Verdict.MISSING,
    Verdict.NOT_COMPARABLE,
    Verdict.REGRESSED,
    Verdict.INCONCLUSIVE,
    Verdict.IMPROVED,
    Verdict.UNCHANGED,
    Verdict.NEW,
)
WITH_FIGURES = (Verdict.REGRESSED, Verdict.IMPROVED)


def compare_headline(decided: DecidedComparison, metrics: Sequence[str] | None = None) -> str:
    """Returns a sentence that names what became of each model, the worst first."""
    groups: dict[Verdict, dict[int, list[str]]] = {}
    models = decided.comparison.models
    places = {id(model): number for number, model in enumerate(models)}
    for model, metric, decision in decided.cells(metrics):
        text = decided.comparison.label(metric)
        if decision.verdict in WITH_FIGURES:
            text += f" {model.measured.evidence[metric].difference:+.4f}"
        groups.setdefault(decision.verdict, {}).setdefault(places[id(model)], []).append(text)
    n_shown = len(decided.comparison.metrics if metrics is None else metrics)
    parts = []
    for verdict in WORST_FIRST:
        found = groups.get(verdict, {})
        if not found:
            continue
        if len(found) > NAMED:
            parts.append(f"{verdict}: {len(found)} models")
            continue
        named = []
        for number, texts in found.items():
            name = decided.comparison.named(models[number])
            whole = verdict not in WITH_FIGURES and len(texts) == n_shown
            named.append(name if whole or models[number].obstacle else f"{name} ({', '.join(texts)})")
        parts.append(f"{verdict}: {', '.join(named)}")
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def gate_headline(report: GateReport) -> str:
    """Returns a sentence: whether the gate passes, and the first reason if it does not."""
    if report.outcome is GateOutcome.PASSED:
        rest = compare_headline(report.decided, report.decided.policy.gated_metrics)
        return f"Gate passed. {rest}"
    more = f" (and {len(report.reasons) - 1} more)" if len(report.reasons) > 1 else ""
    return f"Gate not passed, {report.outcome}: {report.reasons[0]}{more}."
