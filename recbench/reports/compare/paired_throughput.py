"""Whether throughput dropped between two revisions whose trials alternated on one machine, given an A/A control."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recbench.counted import counted
from recbench.evaluation.paired_ratios import PairedRatio, as_change, fewest_pairs, paired_ratio
from recbench.evaluation.paired_tests import holm
from recbench.records.grouping import TrialGroup, group_trials, is_same
from recbench.records.schema import Record
from recbench.records.selection import RecordSet
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.decision import verdict
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.throughput import SpeedDecision, why_not_gated
from recbench.reports.compare.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Control:
    """The trials of BASE against BASE: each seed twice, one after the other.

    Attributes:
        first: One trial of each configuration and seed.
        second: The other.
    """

    first: RecordSet
    second: RecordSet


@dataclass(frozen=True, slots=True)
class PairedSpeed:
    """What the pairs of trials say by one clock.

    Attributes:
        clock: ``wall time`` or ``CPU time``.
        ratio: Throughput of CURRENT over that of BASE.
        p_adjusted: The p-value after Holm, over all models and clocks.
        limit: The largest change that does not count, as a logarithm.
        verdict: By the same rule as metrics.
    """

    clock: str
    ratio: PairedRatio
    p_adjusted: float
    limit: float
    verdict: Verdict

    @property
    def is_too_noisy(self) -> bool:
        """Whether the control alone differs by more than the limit."""
        return self.ratio.noise > self.limit

    @property
    def figures(self) -> str:
        """The figures in words."""
        interval = self.ratio.interval
        low, high = (f"{as_change(bound):+.1%}" for bound in (interval.low, interval.high))
        return (
            f"{as_change(self.ratio.shift):+.1%} by {self.clock} (95 % {low} to {high}, {self.ratio.n} pairs, p "
            f"{self.p_adjusted:.3g}); noise of the control ±{as_change(self.ratio.noise):.1%}"
        )


def decide_paired_speed(
    models: Sequence[Compared], control: Control, policy: Policy
) -> list[tuple[SpeedDecision | None, list[PairedSpeed]]]:
    """Decides on the throughput of every model.

    The rule is that of metrics (see ``decision.verdict``), for the logarithm of the throughput of CURRENT over BASE:

    - the difference is the median over the pairs of trials with the same seed;
    - its 95 % confidence interval follows from the order of the pairs;
    - what the control varies by takes the place of what seeds explain;
    - p is that of the pairs' signed ranks among those of the control, after Holm over all models and clocks;
    - a change by less than the policy's ``throughput_drop`` does not count.

    Wall time decides if it can. If it is inconclusive, because other programs use the machine, CPU time decides. On a
    GPU, or without CPU times, there is only wall time.

    Args:
        models: The models of a comparison.
        control: Trials of BASE against BASE.
        policy: The limits.

    Returns:
        For each model the decision, which is None where the model could not be compared, and the figures.
    """
    pairs = [(_pairs(model.match.base, model.match.current), _pairs_of_control(model, control)) for model in models]
    reasons = [_why_not(model, *of_model, policy) for model, of_model in zip(models, pairs, strict=True)]
    ratios = [{} if reason else _ratios(*of_model) for reason, of_model in zip(reasons, pairs, strict=True)]
    p_values = iter(holm([ratio.p for of_model in ratios for ratio in of_model.values()]))
    decided: list[tuple[SpeedDecision | None, list[PairedSpeed]]] = []
    for model, reason, of_model in zip(models, reasons, ratios, strict=True):
        drop = policy.throughput_drop_of(model.names)
        by_clock = [decide_ratio(clock, ratio, next(p_values), drop, policy.alpha) for clock, ratio in of_model.items()]
        decision = decide_clocks(by_clock) if by_clock else SpeedDecision(None, reason)
        decided.append((None if model.obstacle else decision, by_clock))
    return decided


def decide_ratio(clock: str, ratio: PairedRatio, p_adjusted: float, drop: float, alpha: float) -> PairedSpeed:
    """Decides by one clock.

    Args:
        clock: Its name.
        ratio: What the pairs say.
        p_adjusted: Their p-value after Holm.
        drop: The largest drop that does not count, as a share.
        alpha: Level of the test.
    """
    limit = -math.log1p(-drop)
    word = verdict(ratio.shift, ratio.interval, ratio.noise, p_adjusted, limit, alpha)
    return PairedSpeed(clock, ratio, p_adjusted, limit, word)


def decide_clocks(by_clock: Sequence[PairedSpeed]) -> SpeedDecision:
    """Returns the decision of the first clock that decides; see ``decide_paired_speed``.

    Args:
        by_clock: By wall time, and by CPU time if it is known.
    """
    decided = next((speed for speed in by_clock if speed.verdict is not Verdict.INCONCLUSIVE), None)
    limit = f"{-as_change(-by_clock[0].limit):.0%}"
    if decided is None:
        noisy = [speed for speed in by_clock if speed.is_too_noisy]
        why = (
            f"the control was too noisy to decide about {limit}: end other programs, or use more seeds"
            if len(noisy) == len(by_clock)
            else f"a change by {limit} is neither shown nor excluded: use {_more_seeds(by_clock[0].ratio.n)}"
        )
        return SpeedDecision(Verdict.INCONCLUSIVE, f"{why}. {'; '.join(speed.figures for speed in by_clock)}")
    if decided is by_clock[0]:
        others = [f"; {as_change(speed.ratio.shift):+.1%} by {speed.clock}" for speed in by_clock[1:]]
        return SpeedDecision(decided.verdict, decided.figures + "".join(others))
    first = by_clock[0]
    cause = "the control was too noisy" if first.is_too_noisy else "it varied too much"
    return SpeedDecision(decided.verdict, f"{decided.figures}. {first.clock} does not decide, {cause}: {first.figures}")


def _more_seeds(n: int) -> str:
    """Returns an advice after n pairs: one pair beside which another program ran must not hide a change."""
    enough = fewest_pairs(outliers=1)
    return f"--seeds {enough} or more" if n < enough else "more seeds"


Pair = tuple[Record, Record]


def _why_not(model: Compared, pairs: Sequence[Pair], control: Sequence[Pair], policy: Policy) -> str:
    if model.obstacle:
        return model.obstacle.reason
    counts, fewest = (len(pairs), len(control)), fewest_pairs()
    if policy.gate_throughput and min(counts) < fewest:
        of_trials = f"{counted(counts[0], 'pair')} of trials"
        return f"{of_trials}, and {counts[1]} of the control; {fewest} are needed: use --seeds {fewest}"
    return why_not_gated(model.match, policy)


def _pairs(base: TrialGroup | None, current: TrialGroup | None) -> list[Pair]:
    """Returns the records of each seed that is done and timed on both sides."""
    of_base, of_current = (
        {
            trial.record.seed: trial.record
            for trial in (group.done if group else ())
            if trial.record.interactions_per_second
        }
        for group in (base, current)
    )
    return [(record, of_current[seed]) for seed, record in of_base.items() if seed in of_current]


def _timed(group: TrialGroup | None) -> dict[int, Record]:
    records = [trial.record for trial in group.done] if group else []
    return {record.seed: record for record in records if record.interactions_per_second}


def _pairs_of_control(model: Compared, control: Control) -> list[Pair]:
    base = model.match.base
    if base is None:
        return []
    first, second = (
        next((group for group in group_trials(side.trials) if is_same(group.record, base.record)), None)
        for side in (control.first, control.second)
    )
    return _pairs(first, second)


def _wall_seconds(record: Record) -> float | None:
    return record.fit_seconds


def _cpu_seconds(record: Record) -> float | None:
    return None if record.facts.get("device") == "gpu" else record.fit_cpu_seconds


_CLOCKS: Mapping[str, Callable[[Record], float | None]] = {"wall time": _wall_seconds, "CPU time": _cpu_seconds}


def _ratios(pairs: Sequence[Pair], control: Sequence[Pair]) -> dict[str, PairedRatio]:
    """Returns what the pairs say, by each clock that all of them have."""
    ratios = {}
    for clock, seconds in _CLOCKS.items():
        own, of_control = (_log_ratios(record_pairs, seconds) for record_pairs in (pairs, control))
        if own and of_control:
            ratios[clock] = paired_ratio(np.array(own), np.array(of_control))
    return ratios


def _log_ratios(pairs: Sequence[Pair], seconds: Callable[[Record], float | None]) -> list[float]:
    """Returns the logarithm of the second's speed over the first's of each pair; none if any time is not known.

    All trials have the same number of train rows and of epochs, or their throughput would not be compared.
    """
    times = [(seconds(first), seconds(second)) for first, second in pairs]
    known = [(first, second) for first, second in times if first and second]
    return [math.log(first / second) for first, second in known] if len(known) == len(times) else []
