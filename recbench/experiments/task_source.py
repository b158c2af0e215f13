"""The task that a user names or passes, with the file from which trials read it."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from recbench.data.file_use import hold
from recbench.tasks.lookup import find_task, load_task
from recbench.tasks.task import Task
from recbench.trials.identity import TaskFacts


@dataclass(frozen=True)
class TaskSource:
    """A task and its file.

    Attributes:
        task: The task.
        path: The task's file, which the processes of trials map into memory.
    """

    task: Task
    path: Path

    @cached_property
    def facts(self) -> TaskFacts:
        """What a record says about the task."""
        return TaskFacts.of(self.task)


def task_source(task: Task | str | os.PathLike[str], *, progressbar: bool = False) -> TaskSource:
    """Finds the task that a user means.

    Args:
        task: A task, its name, or the path of a spec file.
        progressbar: Whether to show the progress of a download.

    Raises:
        RecbenchError: There is no such task, or it cannot be built.
    """
    if isinstance(task, Task):
        from recbench.tasks.lookup import stored_path

        path = stored_path(task)
        # The task may be in memory only, while processes read the file later.
        hold(path)
        return TaskSource(task, path)
    loaded = load_task(task, progressbar=progressbar)
    return TaskSource(loaded, find_task(task).path)
