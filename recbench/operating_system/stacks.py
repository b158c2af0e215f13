"""Where the threads of a process are, printed when another process asks."""

import faulthandler
import signal


def print_stacks(seconds: float | None) -> None:
    """Prints to standard error where each thread of this process is, when ``ProcessTree.await_stacks`` asks for it.

    Where processes cannot be asked by a signal, a timer prints it after the seconds.

    Args:
        seconds: How long the process may go on from now; None for no limit.
    """
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1)
    elif seconds is not None:
        faulthandler.dump_traceback_later(seconds)
