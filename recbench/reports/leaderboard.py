"""The accepted baselines of all tasks as one page, made from the records alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recbench.records.sides import RankedTrial
from recbench.records.store import StoredRecord
from recbench.reports.cells import escape
from recbench.reports.run_report import RunReport
from recbench.reports.summary import summarise
from recbench.reports.table import how_to_read, models_table
from recbench.reports.uncertainty import uncertainty

KS = (10,)
HEAD = """\
# Accepted baselines

What later runs are compared with: `recbench compare {label} RUN`, `recbench gate {label} RUN`. This page is made from
the records in `baselines/*/{label}/` by `recbench baseline render`; do not edit it.
"""


def leaderboard(tasks: Mapping[str, Sequence[RankedTrial]], label: str) -> str:
    """Renders the page, in Markdown; models by HR@10, the best first.

    Args:
        tasks: For each task, the trials accepted under the label.
        label: The label.

    Raises:
        RecbenchError: The records of a task are of different digests.
    """
    return "\n".join([HEAD.format(label=label), *(_task(name, trials) for name, trials in tasks.items())])


def _task(name: str, trials: Sequence[RankedTrial]) -> str:
    summaries = summarise([StoredRecord(trial.record, Path(trial.place)) for trial in trials])
    summaries.sort(key=lambda summary: -summary.metrics["hr@10"].mean if "hr@10" in summary.metrics else 0.0)
    ranks = {trial.record.stem(): trial.ranks for trial in trials if trial.ranks is not None}
    by_seed = [
        {one.record.seed: ranks[stem] for one in summary.records if (stem := one.record.stem()) in ranks}
        for summary in summaries
    ]
    first = summaries[0].records[0].record
    report = RunReport({}, first.environment, KS, tuple(summaries), uncertainty(by_seed, KS), (), "", ())
    seeds = max(len(one) for one in by_seed)
    machines = sorted({f"{one.environment.cpu}, threads: {one.threads}" for one in (t.record for t in trials)})
    revisions = sorted({r.sha[:9] for t in trials if (r := t.record.revision)})
    return "\n".join(
        [
            f"## {escape(name)}",
            "",
            f"`{first.task.digest[:19]}`: {first.n_users:,} users with {first.n_cases:,} cases, {first.n_train:,} "
            f"train rows; seeds: {seeds}; {'; '.join(machines)}; revision {', '.join(revisions) or 'unknown'}.",
            "",
            models_table(report, markdown=True),
            "",
            *(f"- {line}" for line in (*how_to_read(report, markdown=True), *report.uncertainty.notes)),
            "",
        ]
    )
