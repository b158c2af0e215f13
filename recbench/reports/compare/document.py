"""The JSON documents of a comparison and of a gate. Keys are only ever added."""

from typing import Final

from recbench.evaluation.paired_ratios import as_change
from recbench.records.ancestry import Ancestry
from recbench.records.environments import merged
from recbench.records.selection import RecordSet
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.costs import compared_costs
from recbench.reports.compare.decision import Decision
from recbench.reports.compare.document_types import (
    AncestryDocument,
    ComparedModel,
    CompareDocument,
    DecisionDocument,
    EvidenceDocument,
    GateDocument,
    LevelDocument,
    PairedSpeedDocument,
    RecordSetDocument,
    ThroughputDocument,
)
from recbench.reports.compare.evidence import Level, Measured
from recbench.reports.compare.gate import DecidedComparison, GateReport
from recbench.reports.compare.gate_lines import limit_notes
from recbench.reports.compare.headline import compare_headline, gate_headline
from recbench.reports.compare.lines import done_seeds, one_case_notes, tag, unknown_seed_noise
from recbench.reports.compare.paired_throughput import PairedSpeed
from recbench.reports.compare.throughput import SpeedDecision

SCHEMA: Final = 1


def compare_document(decided: DecidedComparison) -> CompareDocument:
    """Returns the document of ``compare``."""
    comparison = decided.comparison
    names = {model.task.digest: model.task.name for model in comparison.models}
    return {
        "schema": SCHEMA,
        "headline": compare_headline(decided),
        "tag": tag(decided, "compare"),
        "base": record_set_document(comparison.base),
        "current": record_set_document(comparison.current),
        "new_cases": [
            {"task": {"name": names[digest], "digest": digest}, **counts.document()}
            for digest, counts in comparison.new_cases.items()
            if digest in names
        ],
        "results": [
            _result(model, decisions) for model, decisions in zip(comparison.models, decided.decisions, strict=True)
        ],
        "notes": [*one_case_notes(decided), *unknown_seed_noise(decided)],
        "renamed": dict(comparison.renamed),
        "policy": decided.policy.to_dict(),
        "command": decided.command,
    }


def gate_document(report: GateReport) -> GateDocument:
    """Returns the document of ``gate``: that of ``compare``, and whether the gate passes."""
    document = compare_document(report.decided)
    for result, speed, latency in zip(document["results"], report.speed, report.latency, strict=True):
        result["throughput"] = _speed(speed)
        if latency is not None:
            result["latency"] = _speed(latency)
    return {
        **document,
        "headline": gate_headline(report),
        "notes": [*document["notes"], *limit_notes(report)],
        "tag": tag(report.decided, "gate"),
        "outcome": report.outcome,
        "exit_code": report.outcome.exit_code,
        "reasons": list(report.reasons),
        "accepted": [
            {
                "model": regression.model.model,
                "label": regression.model.label,
                "task": regression.model.task.name,
                "metric": regression.metric,
                "regression": regression.line,
                "reason": regression.allowance.reason,
                "source": regression.allowance.source,
            }
            for regression in report.accepted
        ],
        "gated": list(report.decided.policy.gated_metrics),
        "floors": [
            {
                "floor": sanity_check.name,
                "model": sanity_check.model,
                "task": sanity_check.task,
                "metric": sanity_check.metric,
                "held": sanity_check.held,
                "reason": sanity_check.reason,
            }
            for sanity_check in report.sanity_checks
        ],
    }


def _speed(decision: SpeedDecision | None) -> ThroughputDocument | None:
    if decision is None:
        return None
    return {"gated": decision.verdict is not None, "verdict": decision.verdict, "reason": decision.reason}


def paired_speed_document(model: str, label: str, speed: PairedSpeed) -> PairedSpeedDocument:
    """Returns what the pairs of trials of a model say about its throughput by one clock.

    Args:
        model: The model.
        label: The model, or the label of its configuration.
        speed: The figures.
    """
    ratio = speed.ratio
    return {
        "model": model,
        "label": label,
        "clock": speed.clock,
        "pairs": ratio.n,
        "change": as_change(ratio.shift),
        "interval": [as_change(ratio.interval.low), as_change(ratio.interval.high)],
        "control_noise": as_change(ratio.noise),
        "p_holm": speed.p_adjusted,
        "verdict": speed.verdict,
    }


def record_set_document(records: RecordSet) -> RecordSetDocument:
    """Returns what a document says about a set of records."""
    environments = [trial.record.environment for trial in records.trials]
    return {
        "name": records.text,
        "records": [trial.place for trial in records.trials],
        "environments": [environment.model_dump(mode="json") for environment in merged(environments)],
        "threads": sorted({trial.record.threads for trial in records.trials}),
        "revisions": sorted({trial.record.revision.sha for trial in records.trials if trial.record.revision}),
    }


def _result(model: Compared, decisions: dict[str, Decision]) -> ComparedModel:
    base, current = model.match.base, model.match.current
    document: ComparedModel = {
        "model": model.model,
        "task": {"name": model.task.name, "digest": model.task.digest},
        "base_digest": base.task.digest if base else None,
        "base_seeds": [trial.record.seed for trial in base.trials] if base else [],
        "seeds": [trial.record.seed for trial in current.trials] if current else [],
        "compared_seeds": None if model.obstacle else {"base": done_seeds(base), "current": done_seeds(current)},
        "base_params": base.parameters if base else None,
        "params": current.parameters if current else None,
        "metrics": {metric: _decision(model.measured, metric, decision) for metric, decision in decisions.items()},
        "known": _known(model.known),
        "ancestry": _ancestry(model.ancestry),
        "throughput_ratio": model.throughput_ratio,
        "notes": [*(f"{change.kind} changed: {change.detail}" for change in model.changes), *model.notes],
    }
    if costs := compared_costs(model):
        document["costs"] = {
            cost.figure.key: {
                "baseline": list(cost.base.values),
                "current": list(cost.current.values),
                "ratio": cost.ratio,
            }
            for cost in costs
        }
    return document


def _ancestry(ancestry: Ancestry | None) -> AncestryDocument | None:
    if ancestry is None:
        return None
    return {
        "relation": ancestry.relation,
        "base": ancestry.base,
        "current": ancestry.current,
        "merge_base": ancestry.merge_base,
        "reason": ancestry.reason,
    }


def _decision(measured: Measured, metric: str, decision: Decision) -> DecisionDocument:
    return {
        "verdict": decision.verdict,
        "reasons": list(decision.reasons),
        **_evidence(measured, metric),
        "p_holm": decision.p_adjusted,
        "seed_limit": decision.seed_limit,
        "smallest_drop": decision.smallest_drop,
    }


def _known(measured: Measured | None) -> dict[str, EvidenceDocument]:
    """Returns the figures without cases of items or users without train rows, by metric."""
    if measured is None:
        return {}
    return {metric: _evidence(measured, metric) for metric in dict.fromkeys([*measured.base, *measured.current])}


def _level(level: Level | None) -> LevelDocument | None:
    if level is None:
        return None
    interval = None if level.interval is None else [level.interval.low, level.interval.high]
    spread = level.spread
    return {"mean": spread.mean, "sd": spread.sd, "values": list(spread.values), "interval": interval}


def _evidence(measured: Measured, metric: str) -> EvidenceDocument:
    difference = measured.evidence.get(metric)
    return {
        "baseline": _level(measured.base.get(metric)),
        "current": _level(measured.current.get(metric)),
        "difference": None if difference is None else difference.difference,
        "interval": None if difference is None else [difference.interval.low, difference.interval.high],
        "p": None if difference is None else difference.p,
        "won": None if difference is None else difference.won,
        "lost": None if difference is None else difference.lost,
    }
