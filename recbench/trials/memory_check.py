"""Whether a model has enough memory, before it starts."""

from collections.abc import Callable

import psutil

from recbench.protocol import StatesMemory, TrainSet
from recbench.trials.events import Event, EventKind, Notify

ADVICE = "use a task of fewer items, another model, or more memory"
MOST_BYTES = 10**15
"""More memory than any machine has, and the largest number that a trial's process reports."""


class NotEnoughMemoryError(MemoryError):
    """A model needs more memory than there is; it was not started."""


def check_memory(
    model: object,
    train: TrainSet,
    limit: int | None,
    notify: Notify,
    free: Callable[[], int] = lambda: int(psutil.virtual_memory().available),
) -> None:
    """Says how much memory a model needs, if the model knows it, and compares that with what there is.

    Args:
        model: The model, not yet trained.
        train: The train rows.
        limit: Memory that this process may use, in bytes; None for no limit.
        notify: Receives an event of the kind ``MEMORY``.
        free: Returns the memory that the machine has left, in bytes.

    Raises:
        NotEnoughMemoryError: The model needs more.
    """
    if not isinstance(model, StatesMemory):
        return
    needed, available = min(max(int(model.memory_bytes(train)), 0), MOST_BYTES), free()
    notify(Event(EventKind.MEMORY, done=needed, total=available))
    why = ""
    if needed > available:
        why = f"{gibibytes(available)} are available"
    elif limit is not None and needed > (rest := max(limit - psutil.Process().memory_info().rss, 0)):
        why = f"{gibibytes(rest)} of the limit of {gibibytes(limit)} are left"
    if why:
        what = f"a catalogue of {train.n_items:,} items needs {gibibytes(needed)} of memory"
        raise NotEnoughMemoryError(f"not started: {what}, and {why}; {ADVICE}")


def gibibytes(size: int) -> str:
    """Returns an amount of memory as text.

    >>> gibibytes(6_717_850_000)
    '6.3 GiB'
    """
    return f"{size / 2**30:,.1f} GiB" if size >= 2**29 else f"{size / 2**20:,.1f} MiB"
