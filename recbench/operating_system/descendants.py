"""The processes that a process has started, and that these have started."""

import os
from contextlib import suppress

import psutil


def descendants(pid: int) -> list[psutil.Process]:
    """Returns all processes below a process; none if it is gone."""
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def is_own(pid: int) -> bool:
    """Whether a process is this one or below it."""
    own = os.getpid()
    if pid == own:
        return True
    with suppress(psutil.Error):
        return any(parent.pid == own for parent in psutil.Process(pid).parents())
    return False
