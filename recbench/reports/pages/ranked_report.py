"""The report of records that were read with their ranks, and the line that says where they are from."""

from collections.abc import Sequence
from pathlib import Path

from recbench.records.selection import RankedTrial
from recbench.records.store import StoredRecord
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import summarise
from recbench.reports.run.uncertainty import uncertainty

KS = (10,)


def ranked_report(trials: Sequence[RankedTrial]) -> RunReport:
    """Sums up, and compares, the records of one task; models by HR@10, the best first.

    Raises:
        RecbenchError: The records are of tasks of different digests.
    """
    summaries = summarise([StoredRecord(trial.record, Path(trial.place)) for trial in trials])
    summaries.sort(key=lambda summary: -summary.metrics["hr@10"].mean if "hr@10" in summary.metrics else 0.0)
    ranks = {trial.record.stem(): trial.ranks for trial in trials if trial.ranks is not None}
    by_seed = [
        {one.record.seed: ranks[stem] for one in summary.records if (stem := one.record.stem()) in ranks}
        for summary in summaries
    ]
    environment = summaries[0].records[0].record.environment
    return RunReport({}, environment, KS, tuple(summaries), uncertainty(by_seed, KS), (), "", ())


def where_from(trials: Sequence[RankedTrial], report: RunReport) -> str:
    """Returns the line on the task, the seeds, the machines and the revisions of the records."""
    first = report.summaries[0].records[0].record
    seeds = max(len(summary.records) for summary in report.summaries)
    machines = sorted({f"{one.environment.cpu}, threads: {one.threads}" for one in (t.record for t in trials)})
    revisions = sorted({r.sha[:9] for t in trials if (r := t.record.revision)})
    return (
        f"`{first.task.digest[:19]}`: {first.n_users:,} users with {first.n_cases:,} cases, {first.n_train:,} "
        f"train rows; seeds: {seeds}; {'; '.join(machines)}; revision {', '.join(revisions) or 'unknown'}."
    )
