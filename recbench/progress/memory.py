"""What progress says about the memory of a model before it trains."""

from recbench.trials.events import Event, EventKind
from recbench.trials.memory_check import gibibytes

SHOWN = 2**30
"""A model that needs less memory, in bytes, starts without a line about it."""


def memory_needed(event: Event) -> str | None:
    """Returns what an event says about memory; None for other events and for models that need little.

    >>> memory_needed(Event(EventKind.MEMORY, done=6 * 2**30, total=12 * 2**30))
    'needs 6.0 GiB of memory, 12.0 GiB are available'
    """
    if event.kind is not EventKind.MEMORY or event.done < SHOWN:
        return None
    return f"needs {gibibytes(event.done)} of memory, {gibibytes(event.total)} are available"
