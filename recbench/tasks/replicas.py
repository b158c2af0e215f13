"""Replicas: several frozen splits that one spec draws, each a task of its own with the name NAME@NUMBER."""

import os
import re

import numpy as np

from recbench.errors import RecbenchError
from recbench.tasks.exchange.forms import Order
from recbench.tasks.lookup import find_task, load_task
from recbench.tasks.spec import GlobalTime, RandomFraction, TaskSpec
from recbench.tasks.task import Task


def replica_names(name: str | os.PathLike[str]) -> list[str]:
    """Returns what ``run`` calls each replica of a task, such as ``loo5.toml@0``; nothing for a task without replicas.

    Args:
        name: The path of a spec file, or a task's name.

    Raises:
        RecbenchError: There is no such task, or its spec breaks the schema.
    """
    spec = find_task(name).spec
    return [] if spec is None or spec.replicas is None else [f"{os.fspath(name)}@{n}" for n in range(spec.replicas)]


def load_replicas(name: str | os.PathLike[str], *, rebuild: bool = False, progressbar: bool = False) -> list[Task]:
    """Loads all replicas of a task; builds those that the cache does not have.

    Args:
        name: The path of a spec file.
        rebuild: Build all of them again.
        progressbar: Show a progress bar while fetching.

    Raises:
        RecbenchError: The spec draws nothing, so that all replicas are the same; or as for ``load_task``.
    """
    tasks = [load_task(replica_name, rebuild=rebuild, progressbar=progressbar) for replica_name in replica_names(name)]
    for task in tasks[1:]:
        if _same_cases(tasks[0], task):
            raise RecbenchError(
                f"The spec of {tasks[0].name} draws nothing: {task.name} has the same cases and the same candidates.",
                'Remove replicas, hold out random rows (order = "random" or method = "random-fraction" in [split]), or '
                "lower count in [negatives].",
            )
    return tasks


def what_varies(spec: TaskSpec) -> str:
    """Returns what differs between the replicas of a task, given the spec of one of them.

    Its order must be settled, as in the spec of a built task.
    """
    drawn = isinstance(spec.split, RandomFraction) or getattr(spec.split, "order", None) is Order.RANDOM
    if drawn:
        return "the held-out rows and the negatives"
    fixed = "the split by time" if isinstance(spec.split, GlobalTime) else "the order of the rows"
    return f"only the negatives; {fixed} decides which rows are held out"


def base_name(replica: str) -> str:
    """Returns the name without the number.

    >>> base_name("loo5@3")
    'loo5'
    """
    return re.sub(r"@\d+$", "", replica)


def _same_cases(task: Task, other: Task) -> bool:
    return (
        np.array_equal(task.test.users, other.test.users)
        and np.array_equal(task.test.items, other.test.items)
        and np.array_equal(np.sort(task.test.negatives, axis=1), np.sort(other.test.negatives, axis=1))
    )
