"""The CPU seconds of this process, its threads and its child processes."""

import os
import time
from contextlib import suppress

import psutil


class CpuClock:
    """A clock that runs while the CPU works for this process or a child of it.

    Wall time grows while other programs have the CPU; this time does not. Children that have ended and were waited for
    count by the system's own sum. Children that still run are looked up only at the first ``start`` and at ``finish``,
    because that reads the whole process table.
    """

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._since: float | None = None
        self._children: dict[tuple[int, float], float] | None = None

    @property
    def seconds(self) -> float:
        """CPU seconds so far; those of children that still run are added by ``finish``."""
        running = 0.0 if self._since is None else _own_seconds() - self._since
        return self._elapsed + running

    def start(self) -> None:
        """Starts the clock."""
        if self._children is None:
            self._children = _seconds_of_children()
        self._since = _own_seconds()

    def stop(self) -> None:
        """Stops the clock."""
        self._elapsed = self.seconds
        self._since = None

    def finish(self) -> None:
        """Adds the children that still run, without what they used before the first ``start``."""
        before, now = self._children or {}, _seconds_of_children()
        self._elapsed += sum(seconds - before.get(child, 0.0) for child, seconds in now.items())
        # The system has added all seconds of a child that ended meanwhile.
        self._elapsed -= sum(seconds for child, seconds in before.items() if child not in now)
        self._elapsed = max(self._elapsed, 0.0)


def _own_seconds() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _seconds_of_children() -> dict[tuple[int, float], float]:
    """Returns the CPU seconds of each running child; with those of its own children that have ended."""
    seconds: dict[tuple[int, float], float] = {}
    # A child that has ended meanwhile, or a system that does not tell: wall time stays.
    with suppress(psutil.Error, OSError):
        for child in psutil.Process().children(recursive=True):
            # As above.
            with suppress(psutil.Error, OSError):
                times = child.cpu_times()
                ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                seconds[child.pid, child.create_time()] = times.user + times.system + ended
    return seconds
