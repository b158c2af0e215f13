"""Whether a pull request may pass: all verdicts and floors drawn together into one outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recbench.reports.cells import signed
from recbench.reports.compare.comparison import Compared, Comparison
from recbench.reports.compare.decision import Decision, decide
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.sanity_checks import Floor, floors
from recbench.reports.compare.throughput import SpeedDecision, decide_speed
from recbench.reports.compare.verdict import Verdict


class Outcome(StrEnum):
    """How a gate ends."""

    PASSED = "passed"
    REJECTED = "rejected"
    FAILED = "failed"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A comparison with its verdicts.

    Attributes:
        comparison: What was measured.
        decisions: For each model, by metric.
        policy: The limits.
        command: What prints this again.
    """

    comparison: Comparison
    decisions: tuple[dict[str, Decision], ...]
    policy: Policy
    command: str

    def cells(self, metrics: Sequence[str] | None = None) -> list[tuple[Compared, str, Decision]]:
        """Returns every model, metric and decision; of these metrics, or of all."""
        return [
            (model, metric, decision)
            for model, of_model in zip(self.comparison.models, self.decisions, strict=True)
            for metric, decision in of_model.items()
            if metrics is None or metric in metrics
        ]


@dataclass(frozen=True, slots=True, eq=False)
class GateReport:
    """A judgement, and what follows from it.

    Attributes:
        judgement: The comparison and its verdicts.
        speed: For each model that was compared, the verdict on its throughput; None for others.
        floors: What every model must reach.
        outcome: What follows.
        reasons: Why the gate does not pass, one line each; empty if it does.
    """

    judgement: Judgement
    speed: tuple[SpeedDecision | None, ...]
    floors: tuple[Floor, ...]
    outcome: Outcome
    reasons: tuple[str, ...]


def judge(comparison: Comparison, policy: Policy, command: str, gated: Sequence[str] | None = None) -> Judgement:
    """Decides a comparison.

    Args:
        comparison: What was measured.
        policy: The limits.
        command: What prints this again.
        gated: Metrics that Holm adjusts together; every other metric by itself. None: each metric by itself.
    """
    together = tuple(metric for metric in comparison.metrics if metric in (gated or ()))
    alone = [(metric,) for metric in comparison.metrics if metric not in together]
    decisions = decide(comparison, policy, [*([together] if together else []), *alone])
    return Judgement(comparison, tuple(decisions), policy, command)


def gate(comparison: Comparison, policy: Policy, command: str) -> GateReport:
    """Decides whether a comparison passes.

    The first line that holds is the outcome; everything that is not fit to pass is among the reasons:

    ==============  =====================================================================================
    failed          a trial of CURRENT failed
    not comparable  a model is not comparable, no model could be compared at all, or CURRENT has a model of
                    BASE in a further configuration, whose figures nothing vouches for
    rejected        a gated metric or throughput regressed, or is inconclusive and the policy is strict;
                    or a floor is broken: a model or seed is missing, or a model is not above chance
    passed          everything else
    ==============  =====================================================================================
    """
    judgement = judge(comparison, policy, command, policy.gated_metrics)
    speed = tuple(None if model.obstacle else decide_speed(model.match, policy) for model in comparison.models)
    found = tuple(floors(comparison, policy))
    failed = _blocked(comparison, Verdict.FAILED)
    incomparable = _blocked(comparison, Verdict.NOT_COMPARABLE) + _unknown_configurations(comparison)
    if comparison.nothing_compared:
        incomparable.append("no model of CURRENT could be compared with BASE")
    rejected = _blocked(comparison, Verdict.MISSING)
    rejected += [
        _of_cell(comparison, model, metric, decision)
        for model, metric, decision in judgement.cells(policy.gated_metrics)
        if _rejects(decision.verdict, policy)
    ]
    rejected += [
        f"{comparison.named(model)} throughput {one.verdict}: {one.reason}"
        for model, one in zip(comparison.models, speed, strict=True)
        if one and one.verdict and _rejects(one.verdict, policy)
    ]
    rejected += [
        f"{floor.model} is not {floor.name}: {floor.reason}" for floor in found if not floor.held and not floor.told
    ]
    outcome = (
        Outcome.FAILED if failed
        else Outcome.NOT_COMPARABLE if incomparable
        else Outcome.REJECTED if rejected
        else Outcome.PASSED
    )  # fmt: skip
    return GateReport(judgement, speed, found, outcome, (*failed, *incomparable, *rejected))


def _rejects(verdict: Verdict, policy: Policy) -> bool:
    return verdict is Verdict.REGRESSED or (verdict is Verdict.INCONCLUSIVE and policy.strict)


def _blocked(comparison: Comparison, verdict: Verdict) -> list[str]:
    return [
        f"{comparison.named(model)} {verdict}: {model.obstacle.reason}"
        for model in comparison.models
        if model.obstacle and model.obstacle.verdict is verdict
    ]


def _unknown_configurations(comparison: Comparison) -> list[str]:
    """Returns a line for each new configuration of a model that BASE has.

    A folder in which a former run's records lie beside those of new settings must not pass for the former's sake.
    """
    known = {(one.task.digest, one.model) for one in comparison.models if one.match.base}
    return [
        f"{comparison.named(one)} not comparable: BASE has {one.model} with other parameters only"
        for one in comparison.models
        if one.match.base is None and (one.task.digest, one.model) in known
    ]


def _of_cell(comparison: Comparison, model: Compared, metric: str, decision: Decision) -> str:
    evidence = model.measured.evidence[metric]
    return (
        f"{comparison.named(model)} {metric.upper()} {decision.verdict}: {signed(evidence.difference)} "
        f"(95 % {signed(evidence.interval.low)} to {signed(evidence.interval.high)})"
    )
