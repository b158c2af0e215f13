"""The outcome of a comparison in one sentence."""

from collections.abc import Sequence

from recbench.records.selection import RecordSet
from recbench.reports.cells import signed
from recbench.reports.compare.gate import DecidedComparison, GateOutcome, GateReport
from recbench.reports.compare.verdict import Verdict

NAMED = 3
"""More results than these are counted, not named."""

WORST_FIRST = (
    Verdict.FAILED,
    Verdict.MISSING,
    Verdict.NOT_COMPARABLE,
    Verdict.REGRESSED,
    Verdict.LOWER,
    Verdict.INCONCLUSIVE,
    Verdict.IMPROVED,
    Verdict.HIGHER,
    Verdict.UNCHANGED,
    Verdict.NEW,
)
WITH_FIGURES = (Verdict.REGRESSED, Verdict.LOWER, Verdict.IMPROVED, Verdict.HIGHER)


def compare_headline(decided: DecidedComparison) -> str:
    """Returns a sentence that names what became of each model, the worst first; and before it, what is in doubt."""
    return _ancestry_sentence(decided) + _verdicts(decided)


def _verdicts(decided: DecidedComparison, metrics: Sequence[str] | None = None) -> str:
    groups: dict[Verdict, dict[int, list[str]]] = {}
    comparison = decided.comparison
    models = comparison.models
    numbers = {id(model): number for number, model in enumerate(models)}
    for model, metric, decision in decided.cells(metrics):
        text = comparison.label(metric)
        if decision.verdict in WITH_FIGURES:
            text += f" {signed(model.measured.evidence[metric].difference)}"
        groups.setdefault(decision.verdict, {}).setdefault(numbers[id(model)], []).append(text)
    n_shown = len(comparison.metrics if metrics is None else metrics)
    clauses = []
    for verdict in WORST_FIRST:
        texts_by_model = groups.get(verdict, {})
        if not texts_by_model:
            continue
        if len(texts_by_model) > NAMED:
            clauses.append(f"{verdict}: {comparison.counted([models[number] for number in texts_by_model])}")
            continue
        named = []
        for number, texts in texts_by_model.items():
            name = comparison.named(models[number])
            whole = verdict not in WITH_FIGURES and len(texts) == n_shown
            named.append(name if whole or models[number].obstacle else f"{name} ({', '.join(texts)})")
        clauses.append(f"{verdict}: {', '.join(named)}")
    sentence = "; ".join(clauses) + "."
    return sentence[0].upper() + sentence[1:]


def gate_headline(report: GateReport) -> str:
    """Returns a sentence: whether the gate passes, and the first reason if it does not."""
    doubt = _ancestry_sentence(report.decided)
    if report.outcome is GateOutcome.PASSED:
        rest = _verdicts(report.decided, report.decided.policy.gated_metrics)
        return f"Gate passed{_accepted(report)}. {doubt}{rest}"
    base = report.decided.comparison.base
    if report.outcome is GateOutcome.NO_BASELINE:
        return f"No baseline yet, so nothing was compared: {_without_records(base)}"
    no_baseline = "" if base.locations else f" There is no baseline yet: {_without_records(base)}"
    more = f" (and {len(report.reasons) - 1} more)" if len(report.reasons) > 1 else ""
    return f"Gate FAILED: {doubt}{report.reasons[0]}{more}.{no_baseline}"


def _without_records(base: RecordSet) -> str:
    """Returns what is missing; and, if the name may be misspelled, which baselines exist and what to do."""
    return f"{base.text} has no records.{f' {base.alternatives}' if base.alternatives else ''}"


def _accepted(report: GateReport) -> str:
    """Returns which regressions the gate lets pass, and why; empty if there are none."""
    if not report.accepted:
        return ""
    comparison = report.decided.comparison
    labels = {measure.name: measure.label for measure in comparison.measures}
    named = [
        f"{comparison.named(regression.model)} {labels.get(regression.metric, regression.metric)}"
        for regression in report.accepted
    ]
    shown = ", ".join(named) if len(named) <= NAMED else f"{len(named)} regressions"
    reasons = dict.fromkeys(regression.allowance.explanation for regression in report.accepted)
    return f" with {'accepted regressions' if named[1:] else 'an accepted regression'} of {shown}: {'; '.join(reasons)}"


def _ancestry_sentence(decided: DecidedComparison) -> str:
    """Returns a sentence, and a space, if BASE is not an ancestor of CURRENT; else nothing."""
    comparison = decided.comparison
    doubted = [model for model in comparison.models if model.match.base and not model.is_caused]
    if not doubted:
        return ""
    known = [model.ancestry for model in doubted if model.ancestry]
    base, current = (
        ", ".join(dict.fromkeys(commits)) for commits in zip(*((a.base, a.current) for a in known), strict=True)
    )
    of = (
        ""
        if all(model in doubted for model in comparison.models if model.match.base)
        else (
            f" of {', '.join(map(comparison.named, doubted)) if len(doubted) <= NAMED else comparison.counted(doubted)}"
        )
    )
    return (
        f"BASE{of} ({base}) is not an ancestor of CURRENT ({current}), so that differences may be due to commits which "
        "CURRENT does not have. "
    )
