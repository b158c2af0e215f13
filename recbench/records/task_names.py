"""The tasks of records in one sentence, and the refusal of records whose figures cannot be compared."""

from collections.abc import Iterable

from recbench.errors import RecbenchError
from recbench.records.schema import Record

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
