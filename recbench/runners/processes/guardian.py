"""A small process between a run and a trial's process: whatever the trial starts ends with it, and with the run.

The guardian adopts processes whose own parent has ended, so that it finds them even in a session of their own. It ends
all of them when the trial's process ends, and when the run ends in any way, also by SIGKILL. It ends as the trial's
process did, so that the run learns how.
"""

import os
import signal
import time
from typing import Final, NoReturn

from recbench.operating_system.guardians import adopt_orphans, die_with_parent, has_guardians, signal_when_parent_ends
from recbench.operating_system.process_tree import kill_descendants

SECONDS_TO_CLEAR: Final = 0.3
SECONDS_BETWEEN_LOOKS: Final = 0.005


def guard(run: int) -> None:
    """Lets a new process go on, and makes this one its guardian; returns in the new process only.

    Where processes cannot adopt orphans, this process itself goes on, and ends with the run.

    Args:
        run: The process that started this one.
    """
    if not has_guardians():
        die_with_parent(run)
        return
    # Signals that a model sends to its parent are read and ignored.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    adopt_orphans()
    signal_when_parent_ends(signal.SIGTERM)
    if os.getppid() != run:
        os._exit(1)
    own = os.getpid()
    if (trial := os.fork()) != 0:
        _watch(run, trial)
    # A model may signal its group.
    os.setsid()
    die_with_parent(own)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _watch(run: int, trial: int) -> NoReturn:
    _close_streams()
    while os.getppid() == run:
        number = signal.sigwaitinfo(signal.valid_signals()).si_signo
        if number == signal.SIGCHLD:
            _reap(trial)
        elif number == signal.SIGUSR1:
            # The run asks where the trial hangs.
            os.kill(trial, number)
    _end_all()
    os._exit(1)


def _close_streams() -> None:
    """Lets the run see when the last writer of a pipe is gone."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _reap(trial: int) -> None:
    """Clears ended processes away; ends this process if the trial's is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid == trial:
            _end_all()
            _end_like(os.waitstatus_to_exitcode(status))


def _end_all() -> None:
    """Ends all that is left of the trial, and clears it away: in a container, often nobody else does."""
    kill_descendants(os.getpid())
    end = time.monotonic() + SECONDS_TO_CLEAR
    # What a signal does not end at once, such as a process that waits for a disk, is left to the system.
    while time.monotonic() < end:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _end_like(code: int) -> NoReturn:
    """Ends with an exit code; if it is negative, by that signal, and without a second core dump."""
    if code < 0:
        # Here, for Windows has no such module.
        import resource

        number = -code
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        os.kill(os.getpid(), number)
    os._exit(code if code >= 0 else 128 - code)
