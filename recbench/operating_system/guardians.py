"""Processes that adopt orphans, and that end with their parent."""

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Final

import psutil

from recbench.operating_system.c_library import c_library

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
SECONDS_BETWEEN_LOOKS_AT_PARENT: Final = 1.0


def has_guardians() -> bool:
    """Whether a process can adopt the orphans among its descendants, and learns at once that its parent is gone."""
    return hasattr(c_library(), "prctl")


def adopt_orphans() -> None:
    """Makes this process the parent of each descendant whose own parent ends; only where there are guardians."""
    c_library().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def signal_when_parent_ends(number: int) -> None:
    """Lets the kernel send this process a signal when its parent ends; only where there are guardians.

    The signal also comes if only the thread of the parent ends that has started this process.
    """
    c_library().prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Ends this process when the process ``parent``, which started it, ends.

    On Linux the kernel does it, also while a model is in native code.

    Args:
        parent: Its id, as it was when it started this process.
    """
    if has_guardians():
        signal_when_parent_ends(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        return
    try:
        # Not getppid: in a virtual environment of Windows, a launcher stands between the two.
        watched = psutil.Process(parent)
    except psutil.NoSuchProcess:
        os._exit(1)
    threading.Thread(target=_die_with, args=(watched,), daemon=True).start()


def _die_with(parent: psutil.Process) -> None:
    with suppress(psutil.Error):
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            time.sleep(SECONDS_BETWEEN_LOOKS_AT_PARENT)
    os._exit(1)
