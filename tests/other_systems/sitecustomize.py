"""Makes Linux look like another system: Python imports this at its start if the folder is on PYTHONPATH.

``RECBENCH_TEST_SYSTEM`` names the system. What it lacks is removed, except what the standard library or psutil needs.
"""

import ctypes
import os
import select
import signal

MISSING = {
    "macos": ("prctl", "waitid", "sched_getaffinity", "sched_setaffinity"),  # with Python 3.11 and 3.12
    "windows": (
        "prctl", "waitid", "sched_getaffinity", "sched_setaffinity", "killpg", "getpgid", "pread", "fork",
        "set_blocking", "SIGUSR1", "SIGUSR2", "poll", "epoll",
    ),
}  # fmt: skip


class Library(ctypes.CDLL):
    def __getattr__(self, name):
        if name == "prctl":
            raise AttributeError(name)
        return super().__getattr__(name)


if system := os.environ.get("RECBENCH_TEST_SYSTEM"):
    for name in MISSING[system]:
        for module in (os, signal, select):
            if hasattr(module, name):
                delattr(module, name)
    ctypes.CDLL = Library
