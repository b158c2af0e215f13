"""The peak memory of processes."""

import sys
from contextlib import suppress
from pathlib import Path

import psutil

_kept_peak = 0


def keep_peak_memory() -> None:
    """Keeps the peak memory of this process, for somebody is going to let the system measure it anew."""
    global _kept_peak
    _kept_peak = peak_memory_bytes() or 0


def peak_memory_bytes(pid: int | None = None) -> int | None:
    """Returns the peak resident memory of a process so far, where the platform knows it.

    Args:
        pid: The process; this one by default.
    """
    peak = _peak_memory(pid)
    return peak if peak is None or pid is not None else max(peak, _kept_peak)


def _peak_memory(pid: int | None) -> int | None:
    # Only Linux has this file.
    with suppress(OSError):
        for line in Path(f"/proc/{pid or 'self'}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    # A process that has ended has no figure.
    with suppress(psutil.Error):
        if (peak := getattr(psutil.Process(pid).memory_info(), "peak_wset", None)) is not None:
            return int(peak)
    if pid is not None:
        return None
    try:
        import resource
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def has_own_peak_memory() -> bool:
    """Whether the peak memory of a process does not include that of the process that started it."""
    # Elsewhere, resource usage begins with the peak of the process that started this one.
    return Path("/proc/self/status").exists() or hasattr(psutil.Process().memory_info(), "peak_wset")
