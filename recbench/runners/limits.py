"""How long a trial may take, and how much memory."""

import re
from dataclasses import dataclass

import psutil

from recbench.errors import RecbenchError, shortened
from recbench.operating_system.guardians import has_guardians

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
        memory_bytes: Memory of its process and of those that this has started, what is mapped of the task included;
            it also holds during the import. None for no limit.
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
    """Looks at the memory of a process and its children, and remembers the most that it saw.

    Args:
        pid: The process; a guardian, where there are guardians, which itself does not count.
    """

    LOOKS_BETWEEN_CHILDREN = 10
    """Finding children means to look at all processes of the machine, which costs more than to look at one."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._looks = 0
        self._processes: list[psutil.Process] = []
        self.peak_bytes = 0

    def look(self, limit: int) -> int:
        """Returns the memory that they use now; 0 if they are gone.

        This is the sum of their resident memory, if it is below the limit. That sum counts a page once for each process
        that shares it. If it is above, this is the sum of their proportional shares of all pages (PSS), where the
        system knows them, and at least the resident memory of the largest process.

        Args:
            limit: Bytes.
        """
        try:
            if self._looks % self.LOOKS_BETWEEN_CHILDREN == 0 or not self._processes:
                process = psutil.Process(self._pid)
                children = process.children(recursive=True)
                self._processes = children if has_guardians() else [process, *children]
            self._looks += 1
        except psutil.Error:
            return 0
        resident = [_resident(member) for member in self._processes]
        used = sum(resident)
        if used > limit and len(resident) > 1:
            used = max(max(resident), sum(map(_proportional, self._processes)))
        self.peak_bytes = max(self.peak_bytes, used)
        return used


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        return int(getattr(process.memory_full_info(), "pss", 0)) or _resident(process)
    except psutil.Error:
        return _resident(process)
