"""A finished run, read from its records."""

import os
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.experiments.results import Run
from recbench.experiments.task_source import task_source
from recbench.records.schema import TaskIdentity
from recbench.records.selection import read_records
from recbench.records.task_names import named_tasks
from recbench.tasks.lookup import find_by_digest
from recbench.tasks.task import Task


def load_run(records: str, *, task: Task | str | os.PathLike[str] | None, ks: tuple[int, ...]) -> Run:
    """Reads a run; its ranks are read when a figure is first asked for.

    Args:
        records: A folder of records, one record, a label of accepted baselines, or ``REV:PATH`` in git.
        task: The task of the records; None to find it in the cache by its digest.
        ks: Cut-offs of the tables.

    Raises:
        RecbenchError: The records cannot be read, are of several tasks, or their task is not in the cache.
        NothingToCompareError: There are no records.
    """
    trials = read_records(records).trials
    by_digest = {trial.record.task.digest: trial.record for trial in trials}
    if len(by_digest) > 1:
        named = ", ".join(named_tasks(by_digest.values()))
        raise RecbenchError(
            f"{records} holds records of several tasks: {named}.", "Load the folder of one task, or one record."
        )
    identity = trials[0].record.task
    run_task = _task(identity) if task is None else task_source(task).task
    if run_task.digest != identity.digest:
        raise RecbenchError(
            f"{records} holds records of {identity.name} {identity.digest[:19]}, not of {run_task.name} "
            f"{run_task.digest[:19]}.",
            "Give the task that the records were made on.",
        )
    folder = Path(records)
    return Run(trials, run_task, ks, folder=folder if folder.exists() else None)


def _task(identity: TaskIdentity) -> Task:
    task = find_by_digest(identity.name, identity.digest)
    if task is None:
        raise RecbenchError(
            f"The task {identity.name!r} of digest {identity.digest[:19]} is not in the cache.",
            f"Build it with: recbench task build {shell_word(identity.name)}. "
            "Or pass it: recbench.load(records, task=task)",
        )
    return task
