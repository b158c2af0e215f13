"""The tasks of records: which of them an argument means, all in one sentence, and a check that there is only one."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from recbench.errors import RecbenchError, unknown_name
from recbench.records.schema import Record
from recbench.tasks.names import REPLICA, is_spec_file

NAMED = 5
"""More tasks than these are counted, not named."""


def named_tasks(records: Iterable[Record]) -> list[str]:
    """Returns the name and the short digest of each task of some records, once; many are counted.

    Args:
        records: The records, in the order in which their tasks are named.
    """
    names = list(dict.fromkeys(f"{record.task.name} {record.task.digest[:19]}" for record in records))
    more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    return names[:NAMED] + more


def names_meant(task: str | os.PathLike[str], names: Collection[str], kind: str) -> frozenset[str]:
    """Returns which names of tasks in records an argument such as ``--task`` means.

    The digest does not count: two tasks of one name with different digests must be seen to differ, not be left out.

    Args:
        task: A task's name or a spec file. Without a number, it means all replicas of the task.
        names: The names of tasks in the records.
        kind: What the names are, for the error.

    Raises:
        RecbenchError: No record has such a task, or the spec file cannot be read.
    """
    name = name_of_task(task)
    meant = frozenset(known for known in names if name == known or _base(known) == name)
    if not meant:
        raise unknown_name(kind, name, names)
    return meant


def name_of_task(task: str | os.PathLike[str]) -> str:
    """Returns the name that a task, given by its name or spec file, has in records.

    Raises:
        RecbenchError: The spec file cannot be read.
    """
    text = os.fspath(task)
    replica = REPLICA.fullmatch(text)
    file = replica["base"] if replica else text
    if not is_spec_file(file):
        return text
    # Only a spec file needs the schema of specs.
    from recbench.tasks.spec import read_spec

    return read_spec(Path(file)).name + text.removeprefix(file)


def _base(name: str) -> str | None:
    """Returns the name of the task that a name of a replica names; None for any other name."""
    replica = REPLICA.fullmatch(name)
    return replica["base"] if replica else None


def require_one_task(records: Iterable[Record], hint: str) -> None:
    """Checks that figures of records can be compared.

    Args:
        records: The records.
        hint: What to do if they cannot.

    Raises:
        RecbenchError: They are of different tasks.
    """
    by_digest = {record.task.digest: record for record in records}
    if len(by_digest) > 1:
        named = ", ".join(named_tasks(by_digest.values()))
        raise RecbenchError(f"These records are of different tasks, whose figures cannot be compared: {named}.", hint)
