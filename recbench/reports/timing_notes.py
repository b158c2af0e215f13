"""What a reader of timings should know: that trials shared a machine, or ran on different ones."""

from collections.abc import Sequence

from recbench.records.schema import Record
from recbench.reports.machines import differences

SHARED = "†"
"""Marks throughput of trials that shared a machine."""


def timing_notes(records: Sequence[Record]) -> list[str]:
    """Returns a line for each reason not to trust the timings of these trials; none if there is none."""
    notes = []
    most = max((record.concurrent_trials for record in records), default=1)
    if most > 1:
        notes.append(f"{SHARED}: {most} trials ran at a time and shared the machine; such throughput is never gated.")
    differing = differences(records)
    if differing:
        notes.append(f"Not all trials ran on the same machine ({'; '.join(differing)}): do not compare their timings.")
    return notes
