"""Memory that trials on this machine have claimed and not taken yet.

Trials that run at the same time, as with ``--jobs``, may all look at the free memory before any of them has taken its
own. So each writes into a file how much it needs, and what others have yet to take does not count as free.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from recbench.operating_system.process_identity import process_start
from recbench.process_locks import LockHeldError, lock_held

SECONDS: Final = 10.0
"""How long to wait for others, who hold the lock while they read a few small files."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is there for a trial.

    Attributes:
        free: Bytes that it may take.
        claimed: Bytes that other trials have yet to take; ``free`` is without them.
    """

    free: int
    claimed: int = 0


@contextmanager
def memory_claimed(needed: int, free: Callable[[], int], folder: Path) -> Iterator[Memory]:
    """Claims memory during the block, if there is enough; otherwise claims nothing.

    Where the folder cannot be used, nothing is known of other trials.

    Args:
        needed: Bytes that this process will take at most.
        free: Returns the bytes that are free now.
        folder: Where the claims of this machine are.
    """
    own = folder / f"{socket.gethostname()}-{os.getpid()}.json"
    try:
        memory = _claim(needed, free, own)
    except (OSError, LockHeldError):
        # A folder that cannot be used must not stop a trial.
        memory = Memory(free())
    try:
        yield memory
    finally:
        # A claim that stays is removed by the next trial: its process has ended then.
        with suppress(OSError):
            own.unlink(missing_ok=True)


def _claim(needed: int, free: Callable[[], int], own: Path) -> Memory:
    own.parent.mkdir(parents=True, exist_ok=True)
    with lock_held(own.parent / ".lock", SECONDS):
        prefix = f"{socket.gethostname()}-"
        others = [path for path in own.parent.iterdir() if path.name.startswith(prefix) and path != own]
        claimed = sum(map(_yet_to_take, others))
        memory = Memory(max(free() - claimed, 0), claimed)
        if needed <= memory.free:
            pid = os.getpid()
            claim = {"needed": needed, "resident": _resident(pid), "started": process_start(pid)}
            own.write_bytes(json.dumps(claim).encode("ascii"))
    return memory


def _yet_to_take(path: Path) -> int:
    """Returns the bytes of a claim that its process has not taken; removes the claim of a process that has ended."""
    try:
        claim = json.loads(path.read_bytes())
        pid = int(path.stem.rpartition("-")[2])
        if process_start(pid) != claim["started"]:
            path.unlink(missing_ok=True)
            return 0
        taken = max(_resident(pid) - int(claim["resident"]), 0)
        return max(int(claim["needed"]) - taken, 0)
    except (OSError, ValueError, TypeError, KeyError):
        # Its process has just ended, or was killed while it wrote.
        return 0


def _resident(pid: int) -> int:
    """Returns the resident memory of a process and of those that it has started, such as another interpreter's."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        total = 0
        for member in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += int(member.memory_info().rss)
        return total
    return 0
