"""Whether throughput dropped, where it can be told at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from recbench.records.grouping import TrialGroup
from recbench.records.schema import Record
from recbench.reports.compare.comparison import throughputs
from recbench.reports.compare.matching import Match
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.verdict import Verdict
from recbench.reports.machines import differences, version_differences


@dataclass(frozen=True, slots=True)
class SpeedDecision:
    """The verdict on a model's throughput.

    Attributes:
        verdict: ``regressed``, ``improved``, ``unchanged`` or ``inconclusive``; None where throughput is not gated.
        reason: Why, in words.
    """

    verdict: Verdict | None
    reason: str


def decide_speed(match: Match, policy: Policy) -> SpeedDecision:
    """Decides on the throughput of a match whose trials are done on both sides.

    It is gated only where all trials ran on the same machine with the same versions (see ``machines``), none beside
    others, for the same number of epochs (what a fit costs before its first epoch counts more where epochs are few),
    without a doubt about that number, each side has enough seeds, and fits took long enough for the clock. Then, b and
    c being the seeds' throughput and t the policy's drop for the model:

    ============  ===========================================  ======================
    verdict       medians                                      ranges
    ============  ===========================================  ======================
    regressed     median(c) < (1 - t) * median(b)              max(c) < min(b)
    improved      median(c) > median(b) / (1 - t)              min(c) > max(b)
    inconclusive  one of the two lines above                   overlap
    unchanged     everything else
    ============  ===========================================  ======================

    The verdict stands only if the same rules give it for interactions per CPU second too. Wall time grows while other
    programs use the machine, CPU time does not. It is not compared where a record is older than it, or on a GPU.
    """
    reason = why_not_gated(match, policy)
    if reason:
        return SpeedDecision(None, reason)
    drop = policy.throughput_drop_of(match.names)
    by_wall = _decide(throughputs(match.base), throughputs(match.current), "interactions/s", drop)
    base, current = _throughputs_of_cpu(match.base), _throughputs_of_cpu(match.current)
    if not base or not current:
        return by_wall
    by_cpu = _decide(base, current, "interactions per CPU second", drop)
    if by_wall.verdict is by_cpu.verdict:
        return by_wall
    return SpeedDecision(
        None,
        f"wall time and CPU time disagree: {by_wall.verdict} by wall time ({by_wall.reason}), {by_cpu.verdict} by CPU "
        f"time ({by_cpu.reason}); the machine was busy, or fit() waits",
    )


def _decide(base: Sequence[float], current: Sequence[float], unit: str, drop: float) -> SpeedDecision:
    ratio = median(current) / median(base)
    medians = f"medians {median(base):,.0f} and {median(current):,.0f} {unit}, {ratio - 1:+.0%}"
    if ratio >= 1 - drop and ratio <= 1 / (1 - drop):
        return SpeedDecision(Verdict.UNCHANGED, medians)
    if max(current) < min(base):
        return SpeedDecision(Verdict.REGRESSED, f"{medians}; the seeds' ranges do not overlap")
    if min(current) > max(base):
        return SpeedDecision(Verdict.IMPROVED, f"{medians}; the seeds' ranges do not overlap")
    return SpeedDecision(Verdict.INCONCLUSIVE, f"{medians}, but the seeds' ranges overlap")


def _throughputs_of_cpu(group: TrialGroup | None) -> list[float]:
    """Returns the train interactions per CPU second of each seed; none if that is not known of all of them."""
    records = [trial.record for trial in group.done if trial.record.interactions_per_second] if group else []
    if any(record.facts.get("device") == "gpu" for record in records):
        return []
    speeds = [record.n_train * record.epochs / seconds for record in records if (seconds := record.fit_cpu_seconds)]
    return speeds if len(speeds) == len(records) else []


def why_not_gated(match: Match, policy: Policy) -> str:
    """Returns why the throughput of a match cannot be compared; empty if it can."""
    if not policy.gate_throughput:
        return "the policy turns it off (gate_throughput)"
    if match.base is None or match.current is None:
        return "only one of the two runs has it"
    reason = other_conditions([trial.record for trial in (*match.base.done, *match.current.done)])
    if reason:
        return reason
    for side, group in (("BASE", match.base), ("CURRENT", match.current)):
        for record in (trial.record for trial in group.done):
            if record.throughput_doubts:
                return f"in doubt in {side}, seed {record.seed}: {'; '.join(record.throughput_doubts)}"
    epochs = [sorted({trial.record.epochs for trial in side.done}) for side in (match.base, match.current)]
    if epochs[0] != epochs[1] or len(epochs[0]) > 1:
        epochs_text = " and ".join(", ".join(map(str, epochs_of_side)) for epochs_of_side in epochs)
        return f"different numbers of epochs, {epochs_text}, and a part of the time of a fit does not depend on them"
    counts = len(throughputs(match.base)), len(throughputs(match.current))
    if min(counts) < policy.throughput_seeds:
        return f"{counts[0]} and {counts[1]} seeds; {policy.throughput_seeds} are needed in each run"
    shortest = min(
        median(trial.record.fit_seconds or 0.0 for trial in side.done) for side in (match.base, match.current)
    )
    if shortest < policy.throughput_fit_seconds:
        return f"a fit takes {shortest:.4f} s: too short to time (< {policy.throughput_fit_seconds:g} s)"
    return ""


def other_conditions(records: Sequence[Record]) -> str:
    """Returns why the times of records of one model cannot be compared; empty if they can.

    Trials shared a machine, or machines or versions differ.
    """
    if any(record.concurrent_trials > 1 for record in records):
        return "trials ran at the same time as others and shared the machine"
    if differing := differences(records):
        return f"different machines: {', '.join(differing)}"
    versions = version_differences(records)
    return f"different versions: {', '.join(versions)}" if versions else ""
