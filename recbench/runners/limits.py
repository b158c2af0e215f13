"""How long a trial may take, and how much memory."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends a trial.

    Attributes:
        seconds: How long it may take; its import may take as long again. None for no limit.
        memory_bytes: Resident memory of its process and of those that this has started, what is mapped of the task
            included. None for no limit.
    """

    seconds: float | None = None
    memory_bytes: int | None = None


class MemoryWatch:
    """Looks at the resident memory of a process and its children, and remembers the most that it saw.

    Args:
        pid: The process.
    """

    LOOKS_BETWEEN_CHILDREN = 10
    """Finding children means to look at all processes of the machine, which costs more than to look at one."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._looks = 0
        self._children: list[psutil.Process] = []
        self.peak_bytes = 0

    def look(self) -> int:
        """Returns the resident memory now; 0 if the process is gone."""
        try:
            process = psutil.Process(self._pid)
            if self._looks % self.LOOKS_BETWEEN_CHILDREN == 0:
                self._children = process.children(recursive=True)
            self._looks += 1
            found: int = sum(_resident(one) for one in (process, *self._children))
        except psutil.Error:
            return 0
        self.peak_bytes = max(self.peak_bytes, found)
        return found


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
