"""What tells a process from a later one with the same id."""

from contextlib import suppress
from pathlib import Path

import psutil


def process_start(pid: int) -> str | None:
    """Returns what tells a process from all others that have had or will have its id on this machine.

    On Linux it does not change if somebody sets the clock.

    Returns:
        None if there is no such process, or it has ended.
    """
    # Only Linux has these files, and only of a process that exists.
    with suppress(OSError, IndexError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The name of the program, in brackets, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if fields[0] == b"Z" else f"{boot} {fields[19].decode()}"
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    return None
