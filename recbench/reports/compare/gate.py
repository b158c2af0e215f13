"""Whether a pull request may pass: all verdicts and sanity checks drawn together into one outcome."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from recbench.records.target import LATENCY, THROUGHPUT
from recbench.reports.cells import signed
from recbench.reports.compare.accepted_regressions import AcceptedRegression, Allowance, allowance_for
from recbench.reports.compare.comparison import Compared, Comparison
from recbench.reports.compare.decision import Decision, decide
from recbench.reports.compare.latency import decide_latency
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.sanity_checks import CheckName, SanityCheck, sanity_checks
from recbench.reports.compare.throughput import SpeedDecision, decide_speed
from recbench.reports.compare.verdict import Verdict


class GateOutcome(StrEnum):
    """How a gate ends."""

    PASSED = "passed"
    NO_BASELINE = "no baseline"
    REJECTED = "rejected"
    FAILED = "failed"
    NOT_COMPARABLE = "not comparable"

    @property
    def exit_code(self) -> int:
        """With which a process ends whose gate ends like this; documents hold it."""
        return {"passed": 0, "rejected": 1, "failed": 3, "not comparable": 4, "no baseline": 4}[self.value]


@dataclass(frozen=True, slots=True, eq=False)
class DecidedComparison:
    """A comparison with its verdicts.

    Attributes:
        comparison: What was measured.
        decisions: For each model, by metric.
        policy: The limits.
        command: What prints this again.
        together: The metrics whose p-values Holm adjusts together; every other metric is adjusted by itself.
        accepted: The models and metrics whose regression was declared as intended.
        repeat: Returns the commands that repeat this in another clone of the repository; none if ``command`` does.
    """

    comparison: Comparison
    decisions: tuple[dict[str, Decision], ...]
    policy: Policy
    command: str
    together: tuple[str, ...] = ()
    accepted: frozenset[tuple[Compared, str]] = frozenset()
    repeat: Callable[[], Sequence[str]] = tuple

    def cells(self, metrics: Sequence[str] | None = None) -> list[tuple[Compared, str, Decision]]:
        """Returns every model, metric and decision; of these metrics, or of all."""
        return [
            (model, metric, decision)
            for model, of_model in zip(self.comparison.models, self.decisions, strict=True)
            for metric, decision in of_model.items()
            if metrics is None or metric in metrics
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """Something that speaks against CURRENT.

    Attributes:
        model: The model; None for a finding on all of them.
        metric: The measure, ``throughput`` or ``latency``; empty for a finding on the whole model.
        line: What it is, with the figures.
        is_floor: Whether it speaks against CURRENT whatever BASE is.
        may_be_allowed: Whether it is a regression that can be declared as intended.
    """

    model: Compared | None
    metric: str
    line: str
    is_floor: bool = False
    may_be_allowed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class GateReport:
    """A comparison with its verdicts, and what the gate makes of them.

    Attributes:
        decided: The comparison and its verdicts.
        speed: For each model that was compared, the verdict on its throughput; None for others.
        latency: For each model that was compared, the verdict on its latency; None for others, and without such
            figures.
        sanity_checks: What every model must reach.
        outcome: What follows.
        findings: Why the gate does not pass; empty if it does, and without a baseline.
        accepted: The regressions that the gate lets pass, because they were declared as intended.
        unused: Declarations that no regression needed.
    """

    decided: DecidedComparison
    speed: tuple[SpeedDecision | None, ...]
    latency: tuple[SpeedDecision | None, ...]
    sanity_checks: tuple[SanityCheck, ...]
    outcome: GateOutcome
    findings: tuple[Finding, ...]
    accepted: tuple[AcceptedRegression, ...] = ()
    unused: tuple[Allowance, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the gate does not pass, one line each."""
        return tuple(finding.line for finding in self.findings)

    @property
    def changed(self) -> tuple[Compared, ...]:
        """The models that fail the gate, or are not unchanged by every metric that is shown, and by their costs."""
        failing = [finding.model for finding in self.findings]
        return tuple(
            model
            for model, decisions, *costs in zip(
                self.decided.comparison.models, self.decided.decisions, self.speed, self.latency, strict=True
            )
            if model in failing
            or any(decision.verdict is not Verdict.UNCHANGED for decision in decisions.values())
            or any(cost and cost.verdict not in (None, Verdict.UNCHANGED) for cost in costs)
        )

    @property
    def has_changes(self) -> bool:
        """Whether the gate does not pass, or any model is not unchanged by every metric that is shown."""
        return self.outcome is not GateOutcome.PASSED or bool(self.changed)


def decide_verdicts(
    comparison: Comparison,
    policy: Policy,
    command: str,
    gated: Sequence[str] | None = None,
    repeat: Callable[[], Sequence[str]] = tuple,
) -> DecidedComparison:
    """Decides a comparison.

    Args:
        comparison: What was measured.
        policy: The limits.
        command: What prints this again.
        gated: Metrics that Holm adjusts together; every other metric by itself. None: each metric by itself.
        repeat: See ``DecidedComparison``.
    """
    together = tuple(metric for metric in comparison.metrics if metric in (gated or ()))
    alone = [(metric,) for metric in comparison.metrics if metric not in together]
    decisions = decide(comparison, policy, [*([together] if together else []), *alone])
    return DecidedComparison(comparison, tuple(decisions), policy, command, together, repeat=repeat)


def gate(
    comparison: Comparison,
    policy: Policy,
    command: str,
    allowances: Sequence[Allowance] = (),
    speed: Sequence[SpeedDecision | None] | None = None,
    repeat: Callable[[], Sequence[str]] = tuple,
) -> GateReport:
    """Decides whether a comparison passes.

    A regression that was declared as intended does not count, nor that the model is below popularity for this reason.
    The first line that holds is the outcome; everything that is not fit to pass is among the reasons:

    ==============  =====================================================================================
    failed          a trial of CURRENT failed
    not comparable  a model, or one of its gated metrics, is not comparable, no model could be compared at all,
                    CURRENT has a model of BASE in a further configuration, whose figures nothing vouches for, or
                    something would be rejected, but BASE is not an ancestor of CURRENT
    rejected        a gated metric, throughput or latency regressed, or is inconclusive and the policy is strict;
                    or a sanity check fails: a model or seed is missing, or a model is not above chance
    no baseline     BASE has no records, because nothing was accepted yet
    passed          everything else
    ==============  =====================================================================================

    Args:
        comparison: What was measured.
        policy: The limits.
        command: What prints this again.
        allowances: Regressions that were declared as intended.
        speed: For each model the verdict on its throughput, None for models that could not be compared; None to decide
            by the seeds of each side.
        repeat: See ``DecidedComparison``.
    """
    decided = decide_verdicts(comparison, policy, command, policy.gated_metrics, repeat)
    if speed is None:
        speed = [None if model.obstacle else decide_speed(model.match, policy) for model in comparison.models]
    speed = tuple(_with_doubt(model, decision) for model, decision in zip(comparison.models, speed, strict=True))
    latency = tuple(
        _with_doubt(model, None if model.obstacle else decide_latency(model.match, policy))
        for model in comparison.models
    )
    checks = tuple(sanity_checks(comparison, policy))
    failed = _blocked(comparison, Verdict.FAILED)
    incomparable = _blocked(comparison, Verdict.NOT_COMPARABLE) + _unknown_configurations(comparison)
    incomparable += [
        Finding(
            model,
            metric,
            f"{comparison.named(model)} {comparison.label(metric)} {decision.verdict}: {decision.reasons[0]}",
        )
        for model, metric, decision in decided.cells(policy.gated_metrics)
        if decision.verdict is Verdict.NOT_COMPARABLE and not model.obstacle
    ]
    has_baseline = bool(comparison.base.locations)
    if comparison.nothing_compared and has_baseline:
        incomparable.append(Finding(None, "", _nothing_in_common(comparison)))
    costs = {THROUGHPUT: speed, LATENCY: latency}
    against = [*_against(comparison, decided, costs, policy), *_below_popularity(comparison, checks)]
    accepted = [
        AcceptedRegression(finding.model, finding.metric, finding.line, allowance)
        for finding in against
        if finding.model
        and finding.metric
        and (allowance := allowance_for(finding.model, finding.metric, allowances, policy.k))
    ]
    lines = {regression.line for regression in accepted}
    left = [finding for finding in against if finding.line not in lines]
    doubted = [finding for finding in left if finding.model and not (finding.model.is_caused or finding.is_floor)]
    incomparable += doubted
    rejected = [
        *(finding for finding in left if finding not in doubted),
        *_failed_checks(comparison, [check for check in checks if not check.is_reported and not _is_of_level(check)]),
    ]
    outcome = (
        GateOutcome.FAILED if failed
        else GateOutcome.NOT_COMPARABLE if incomparable
        else GateOutcome.REJECTED if rejected
        else GateOutcome.NO_BASELINE if not has_baseline
        else GateOutcome.PASSED
    )  # fmt: skip
    needed = [regression.allowance for regression in accepted]
    unused = tuple(allowance for allowance in allowances if allowance not in needed)
    regressions = frozenset(
        (finding.model, finding.metric)
        for finding in against
        if finding.model and finding.line in lines and not finding.is_floor
    )
    decided = replace(decided, accepted=regressions)
    findings = (*failed, *incomparable, *rejected)
    return GateReport(decided, speed, latency, checks, outcome, findings, tuple(accepted), unused)


def _against(
    comparison: Comparison,
    decided: DecidedComparison,
    costs: Mapping[str, Sequence[SpeedDecision | None]],
    policy: Policy,
) -> list[Finding]:
    """Returns what speaks against CURRENT: missing models, and what has regressed."""
    missing = [
        Finding(model, "", f"{comparison.named(model)} {Verdict.MISSING}: {model.obstacle.reason}")
        for model in comparison.models
        if model.obstacle and model.obstacle.verdict is Verdict.MISSING
    ]
    worse = [
        Finding(model, metric, _of_cell(comparison, model, metric, decision), may_be_allowed=True)
        for model, metric, decision in decided.cells(policy.gated_metrics)
        if _counts_against(decision.verdict, policy)
    ]
    slower = [
        Finding(
            model, name, f"{comparison.named(model)} {name} {decision.verdict}: {decision.reason}", may_be_allowed=True
        )
        for name, decisions in costs.items()
        for model, decision in zip(comparison.models, decisions, strict=True)
        if decision and decision.verdict and _counts_against(decision.verdict, policy)
    ]
    return missing + worse + slower


def _below_popularity(comparison: Comparison, checks: Sequence[SanityCheck]) -> list[Finding]:
    """Returns the models that are not above popularity: an intended regression may be the cause."""
    return _failed_checks(comparison, [check for check in checks if _is_of_level(check)])


def _failed_checks(comparison: Comparison, checks: Sequence[SanityCheck]) -> list[Finding]:
    models = {(model.label, model.task.name): model for model in comparison.models}
    return [
        Finding(
            models[check.model, check.task],
            check.metric or "",
            f"{comparison.named(models[check.model, check.task])} is not {check.name}: {check.reason}",
            is_floor=True,
            may_be_allowed=_is_of_level(check),
        )
        for check in checks
        if not check.held
    ]


def _is_of_level(check: SanityCheck) -> bool:
    return check.name is CheckName.ABOVE_POPULARITY


def _nothing_in_common(comparison: Comparison) -> str:
    sides = (
        ("BASE", [model for model in comparison.models if model.match.base]),
        ("CURRENT", [model for model in comparison.models if model.match.current]),
    )
    has = ", ".join(
        f"{side} has {', '.join(sorted({model.label for model in models})) or 'none'}" for side, models in sides
    )
    return f"no model of CURRENT could be compared with BASE ({has})"


def _with_doubt(model: Compared, decision: SpeedDecision | None) -> SpeedDecision | None:
    if decision is None or decision.verdict is None or model.is_caused:
        return decision
    return replace(decision, verdict=decision.verdict.without_cause)


def _counts_against(verdict: Verdict, policy: Policy) -> bool:
    return verdict in (Verdict.REGRESSED, Verdict.LOWER) or (verdict is Verdict.INCONCLUSIVE and policy.strict)


def _blocked(comparison: Comparison, verdict: Verdict) -> list[Finding]:
    return [
        Finding(model, "", f"{comparison.named(model)} {verdict}: {model.obstacle.reason}")
        for model in comparison.models
        if model.obstacle and model.obstacle.verdict is verdict
    ]


def _unknown_configurations(comparison: Comparison) -> list[Finding]:
    """Returns a line for each new configuration of a model that BASE has.

    A folder that holds records of an earlier run beside records with new settings must not pass because of the former.
    """
    known = {(model.task.digest, model.model) for model in comparison.models if model.match.base}
    return [
        Finding(
            model,
            "",
            f"{comparison.named(model)} not comparable: BASE has {model.model} with other hyper-parameters or "
            "conditions only",
        )
        for model in comparison.models
        if model.match.base is None and (model.task.digest, model.model) in known
    ]


def _of_cell(comparison: Comparison, model: Compared, metric: str, decision: Decision) -> str:
    measured, evidence = model.measured, model.measured.evidence[metric]
    before, after = (f"{figures[metric].spread.mean:.4f}" for figures in (measured.base, measured.current))
    return (
        f"{comparison.named(model)} {comparison.label(metric)} {decision.verdict}, from {before} to {after}: "
        f"{signed(evidence.difference)} "
        f"(95 % {signed(evidence.interval.low)} to {signed(evidence.interval.high)})"
    )
