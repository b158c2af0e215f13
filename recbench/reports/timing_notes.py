"""What a reader of timings should know: shared machines, different machines or versions, doubtful throughput."""

from collections.abc import Sequence

from recbench.records.schema import Record
from recbench.reports.machines import differences, version_differences_within
from recbench.reports.spread import Spread

SHARED = "†"
"""Marks throughput of trials that shared a machine."""

DOUBTFUL = "?"
"""Marks throughput whose number of passes or training time is in doubt."""

SHORTEST_FIT = 0.1
"""Seconds. The throughput of a shorter fit has no meaning: it depends on the clock and on the set-up of the fit."""


def too_short(fit_seconds: Spread | None) -> bool:
    """Whether a fit took too little time for its throughput to mean anything; False where its time is not known."""
    return fit_seconds is not None and fit_seconds.mean < SHORTEST_FIT


def timed_throughput(interactions_per_second: Spread | None, fit_seconds: Spread | None) -> Spread | None:
    """Returns the throughput as reports, pictures and exports show it: None if the fits were too short to time."""
    return None if too_short(fit_seconds) else interactions_per_second


def timing_notes(records: Sequence[Record]) -> list[str]:
    """Returns a line for each reason not to trust the timings of these trials; none if there is none."""
    notes = []
    most = max((record.concurrent_trials for record in records), default=1)
    if most > 1:
        notes.append(f"{SHARED}: {most} trials ran at a time and shared the machine; such throughput is never gated.")
    differing = differences(records)
    if differing:
        notes.append(f"Not all trials ran on the same machine ({'; '.join(differing)}): do not compare their timings.")
    if versions := version_differences_within(records):
        named = "; ".join(versions)
        notes.append(f"Not all trials ran with the same versions ({named}): do not compare their timings.")
    return notes + _doubts(records)


def _doubts(records: Sequence[Record]) -> list[str]:
    """Returns a line for each model with doubtful throughput: in how many trials, and the reasons of the first."""
    trials: dict[str, list[Record]] = {}
    for record in records:
        trials.setdefault(record.label or record.model, []).append(record)
    lines = []
    for name, of_model in trials.items():
        if doubtful := [record for record in of_model if record.throughput_doubts]:
            first = doubtful[0]
            trials_of = f"{len(doubtful)} of {len(of_model)} trials"
            reasons = "; ".join(first.throughput_doubts)
            lines.append(
                f"{DOUBTFUL}: the throughput of {name} is in doubt and never gated, in {trials_of}. "
                f"Seed {first.seed}: {reasons}."
            )
    return lines
