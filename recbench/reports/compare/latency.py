"""The verdict on the latency of requests, if the measurements allow one."""

from collections.abc import Sequence
from statistics import median

from recbench.records.grouping import TrialGroup
from recbench.reports.compare.matching import Match
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.throughput import SpeedDecision, other_conditions
from recbench.reports.compare.verdict import Verdict
from recbench.reports.cost_figures import CPU_OF_REQUEST, GATED_LATENCY, CostFigure


def decide_latency(match: Match, policy: Policy) -> SpeedDecision | None:
    """Decides on the latency of a match whose trials are done on both sides: p95 of users with a long history.

    It is gated only where all trials ran on the same machine, none beside others, and each side has enough seeds; see
    ``throughput.decide_speed``. With b and c the seeds' latencies and r the policy's rise for the model:

    ============  ==================================  ======================
    verdict       medians                             ranges
    ============  ==================================  ======================
    regressed     median(c) > (1 + r) * median(b)     min(c) > max(b)
    improved      median(c) < median(b) / (1 + r)     max(c) < min(b)
    inconclusive  one of the two lines above          overlap
    unchanged     everything else
    ============  ==================================  ======================

    The verdict stands only if the same rules give it for the mean CPU time of a request too, for a busy machine makes
    requests wait. On a GPU, there is only wall time.

    Returns:
        None if no side was measured in use.
    """
    sides = [_values(side, GATED_LATENCY) for side in (match.base, match.current)]
    if not any(sides):
        return None
    reason = _why_not_gated(match, sides, policy)
    if reason:
        return SpeedDecision(None, reason)
    rise = policy.latency_rise_of(match.names)
    by_wall = _decide(sides[0], sides[1], "ms (p95, long history)", rise)
    records = [trial.record for side in (match.base, match.current) if side for trial in side.done]
    if any(record.facts.get("device") == "gpu" for record in records):
        return by_wall
    base, current = (_values(side, CPU_OF_REQUEST) for side in (match.base, match.current))
    by_cpu = _decide(base, current, "CPU ms", rise)
    if by_wall.verdict is by_cpu.verdict:
        return by_wall
    return SpeedDecision(
        None,
        f"wall time and CPU time disagree: {by_wall.verdict} by wall time ({by_wall.reason}), {by_cpu.verdict} by CPU "
        f"time ({by_cpu.reason}); the machine was busy, or requests wait",
    )


def _values(group: TrialGroup | None, figure: CostFigure) -> list[float]:
    """Returns the figure of each seed; none if a seed that is done does not have it."""
    spread = figure.spread(group.done) if group else None
    return [] if spread is None else list(spread.values)


def _why_not_gated(match: Match, sides: Sequence[Sequence[float]], policy: Policy) -> str:
    if not policy.gate_latency:
        return "the policy turns it off (gate_latency)"
    if not all(sides):
        return "only one of the two runs has it for all seeds"
    reason = other_conditions([trial.record for side in (match.base, match.current) if side for trial in side.done])
    if reason:
        return reason
    counts = [len(side) for side in sides]
    if min(counts) < policy.throughput_seeds:
        return f"{counts[0]} and {counts[1]} seeds; {policy.throughput_seeds} are needed in each run"
    return ""


def _decide(base: Sequence[float], current: Sequence[float], unit: str, rise: float) -> SpeedDecision:
    before, after = median(base), median(current)
    change = f", {after / before - 1:+.0%}" if before else ""
    medians = f"medians {GATED_LATENCY.text(before)} and {GATED_LATENCY.text(after)} {unit}{change}"
    if before / (1 + rise) <= after <= before * (1 + rise):
        return SpeedDecision(Verdict.UNCHANGED, medians)
    if min(current) > max(base):
        return SpeedDecision(Verdict.REGRESSED, f"{medians}; the seeds' ranges do not overlap")
    if max(current) < min(base):
        return SpeedDecision(Verdict.IMPROVED, f"{medians}; the seeds' ranges do not overlap")
    return SpeedDecision(Verdict.INCONCLUSIVE, f"{medians}, but the seeds' ranges overlap")
