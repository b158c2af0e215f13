"""How long a trial may take, and how much memory."""

import re
from dataclasses import dataclass

import psutil

from recbench.errors import RecbenchError, shortened

SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([a-z]*)")
UNITS = {
    "": 1,
    **{f"{letter}{unit}": 1000**power for power, letter in enumerate("kmgt", 1) for unit in ("", "b")},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}


MOST_BYTES = 1000**5
"""More memory than any machine has; a larger number is a mistake."""


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


def parse_size(text: str) -> int:
    """Reads a number of bytes, such as ``500MB`` (powers of 1,000) or ``4GiB`` (powers of 1,024).

    Raises:
        RecbenchError: The text is not an amount of memory.
    """
    match = SIZE.fullmatch(text.strip().lower())
    size = float(match[1]) * UNITS[match[2]] if match and match[2] in UNITS else 0.0
    if not 1 <= size <= MOST_BYTES:
        shown = shortened(text, 60)
        raise RecbenchError(
            f"--max-memory {shown!r} is not an amount of memory from 1 byte to {MOST_BYTES / 1000**4:,.0f} TB.",
            "For example: --max-memory 500MB, or 4GiB",
        )
    return int(size)


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
