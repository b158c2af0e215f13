"""The CPU seconds of this process, its threads and its child processes."""

import os
import time

import psutil


class CpuClock:
    """A clock that runs while the CPU works for this process or a child of it.

    Wall time grows while other programs have the CPU; this time does not. Children that have ended and were waited for
    count by the system's own sum. Children that run at the first ``start``, such as another interpreter that trains the
    model, are read at every ``start`` and ``stop``, to the system's tick of usually 10 ms. Children that came later and
    still run are looked up only at ``finish``, because that reads the whole process table. They count with all that
    they used, also while the clock stood still.
    """

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._since: float | None = None
        self._known: list[psutil.Process] | None = None

    @property
    def seconds(self) -> float:
        """CPU seconds so far; those of children that came after the first ``start`` are added by ``finish``."""
        # To read the children takes the CPU of this process, so it is read before them here, and after them in start().
        running = 0.0 if self._since is None else _used_here() + self._used_by_children() - self._since
        return self._elapsed + running

    def start(self) -> None:
        """Starts the clock."""
        if self._known is None:
            self._known = _children()
        children = self._used_by_children()
        self._since = children + _used_here()

    def stop(self) -> None:
        """Stops the clock."""
        self._elapsed = self.seconds
        self._since = None

    def finish(self) -> None:
        """Adds the children that came after the first ``start`` and still run."""
        known = self._known or []
        self._elapsed += sum(_seconds_of(child) for child in _children() if child not in known)
        # The sum may have become smaller: some systems do not tell of a child that has ended until it was waited for.
        self._elapsed = max(self._elapsed, 0.0)

    def _used_by_children(self) -> float:
        return sum(_seconds_of(child) for child in self._known or [])


def _used_here() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _children() -> list[psutil.Process]:
    """Returns the children that run, and theirs; none if the system does not tell."""
    try:
        return psutil.Process().children(recursive=True)
    except (psutil.Error, OSError):  # For example no right to list processes: the clock still has this process itself.
        return []


def _seconds_of(child: psutil.Process) -> float:
    """Returns the CPU seconds of a child, with those of its own children that have ended; 0 once it has ended itself.

    The system's sum of this process has all of them as soon as it was waited for.
    """
    try:
        times = child.cpu_times()
    except (psutil.Error, OSError):  # It has ended, which is not an error here: see above.
        return 0.0
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)
