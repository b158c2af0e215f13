"""Forks a process whose parent is that of this process: what a server of processes starts belongs to who asked it."""

import ctypes
import os
import platform
import signal
import sys

CLONE_PARENT = 0x8000
CLONE_CALLS = {"x86_64": 56, "aarch64": 220}
"""The number of the system call ``clone``, by processor."""


def can_fork_siblings() -> bool:
    """Whether ``fork_sibling`` works here: on Linux, with a processor that it knows."""
    return sys.platform == "linux" and platform.machine() in CLONE_CALLS


def fork_sibling() -> int:
    """Does what ``os.fork`` does, but the new process is a child of this one's parent, which alone can wait for it.

    Returns:
        Its process id; in the new process, 0.

    Raises:
        OSError: There is no room for another process.
    """
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    # Not through CDLL, which would let go of the interpreter meanwhile.
    pid = ctypes.PyDLL(None, use_errno=True).syscall(
        CLONE_CALLS[platform.machine()], CLONE_PARENT | signal.SIGCHLD, None, None, None, None
    )
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(pid)
