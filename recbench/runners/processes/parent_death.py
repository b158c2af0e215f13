"""A trial's process does not outlive the run that started it, even if that is killed and can say nothing."""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
SECONDS_BETWEEN_LOOKS = 1.0


def die_with_parent(parent: int) -> None:
    """Ends this process when the process ``parent``, which started it, ends.

    On Linux the kernel sees to it, also while a model is in native code.

    Args:
        parent: Its id, as it was when it started this process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
