"""Whether a model has enough memory, before it starts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from recbench.data.cache import home
from recbench.protocol import StatesMemory, TrainSet
from recbench.trials.container_memory import container_memory_left
from recbench.trials.events import Event, EventKind, Notify
from recbench.trials.memory_claims import memory_claimed

ADVICE = "use a task of fewer items, another model, or more memory"
MOST_BYTES = 10**15
"""More memory than any machine has, and the largest number that a trial's process reports."""


class NotEnoughMemoryError(MemoryError):
    """A model needs more memory than there is; it was not started."""


def stated_memory(model: object, train: TrainSet) -> int | None:
    """Returns how many bytes a model says that it needs; None if it does not say.

    Args:
        model: The model, not yet trained.
        train: The train rows.
    """
    if not isinstance(model, StatesMemory):
        return None
    return min(max(int(model.memory_bytes(train)), 0), MOST_BYTES)


def free_memory() -> int:
    """Returns the bytes that this process may take: what the machine has left, or its container if that is less."""
    left, available = container_memory_left(), int(psutil.virtual_memory().available)
    return available if left is None else min(left, available)


@contextmanager
def memory_checked(
    needed: int | None,
    train: TrainSet,
    limit: int | None,
    notify: Notify,
    free: Callable[[], int] = free_memory,
    claims: Path | None = None,
) -> Iterator[None]:
    """Says how much memory a model needs, compares that with what there is, and claims it during the block.

    Args:
        needed: What ``stated_memory`` returned; nothing is checked without a number.
        train: The train rows.
        limit: Memory that this process may use, in bytes; None for no limit.
        notify: Receives an event of the kind ``MEMORY``.
        free: Returns the memory that is free, in bytes.
        claims: Where the claims of trials are; None for a folder of the cache.

    Raises:
        NotEnoughMemoryError: The model needs more.
    """
    if needed is None:
        yield
        return
    with memory_claimed(needed, free, home() / "locks" / "memory" if claims is None else claims) as memory:
        notify(Event(EventKind.MEMORY, done=needed, total=memory.free))
        why, advice = "", ADVICE
        if needed > memory.free:
            why = f"{gibibytes(memory.free)} are available"
            if memory.claimed:
                why += f" beside {gibibytes(memory.claimed)} that other trials will take"
                advice = f"use fewer --jobs, {ADVICE.removeprefix('use ')}"
        elif limit is not None and needed > (rest := max(limit - psutil.Process().memory_info().rss, 0)):
            why = f"{gibibytes(rest)} of the limit of {gibibytes(limit)} are left"
        if why:
            what = f"a catalogue of {train.n_items:,} items needs {gibibytes(needed)} of memory"
            raise NotEnoughMemoryError(f"not started: {what}, and {why}; {advice}")
        yield


def gibibytes(size: int) -> str:
    """Returns an amount of memory as text.

    >>> gibibytes(6_717_850_000)
    '6.3 GiB'
    """
    return f"{size / 2**30:,.1f} GiB" if size >= 2**29 else f"{size / 2**20:,.1f} MiB"
