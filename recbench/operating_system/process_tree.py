"""A process and all that it starts, which end together."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import psutil

from recbench.operating_system.descendants import descendants
from recbench.operating_system.guardians import has_guardians

MARKER: Final = "RECBENCH_PROCESS_TREE"
"""The environment variable by which a process of a tree is found where there are no process groups."""
SECONDS_FOR_SIGNALLED_STACKS: Final = 0.3
SECONDS_FOR_TIMED_STACKS: Final = 1.0
SECONDS_FOR_GUARDIAN: Final = 0.5
SECONDS_BETWEEN_LOOKS_AT_GUARDIAN: Final = 0.005
SECONDS_TO_KILL: Final = 5.0
"""How long to look for new processes of a tree that is being ended: one may be started while others are killed."""


class ProcessTree:
    """A process of its own, and all that it starts.

    Ctrl-C in a terminal does not reach it.

    Args:
        command: The program and its arguments.
        environment: Its environment variables.
        options: More arguments of ``subprocess.Popen``.

    Attributes:
        process: The process.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], **options: Any) -> None:
        self._marker = secrets.token_hex(8)
        self._killed = False
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            command, env={**environment, MARKER: self._marker}, **_own_session(), **options
        )

    def has_ended(self) -> bool:
        """Whether the process is over. Its id is not given back before ``kill``: it could then be another's."""
        if self.process.returncode is not None:
            return True
        if hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        if not hasattr(os, "killpg"):
            # Windows keeps the id as long as ``Popen`` keeps the handle.
            return self.process.poll() is not None
        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(self.process.pid).status() == psutil.STATUS_ZOMBIE)
        return True

    def await_stacks(self) -> None:
        """Lets the process print where each of its threads is; see ``print_stacks``."""
        if self.has_ended():
            return
        if hasattr(signal, "SIGUSR1"):
            os.kill(self.process.pid, signal.SIGUSR1)
            time.sleep(SECONDS_FOR_SIGNALLED_STACKS)
        else:
            time.sleep(SECONDS_FOR_TIMED_STACKS)

    def kill(self) -> int:
        """Ends the process and all that it started, at once.

        Returns:
            Its exit code; minus the number of the signal, if one ended it.
        """
        if not self._killed:
            self._killed = True
            if not self.has_ended():
                kill_descendants(self.process.pid)
                self._await_guardian()
            if hasattr(os, "killpg"):
                # Before its id is given back.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        code = self.process.wait()
        if not has_guardians() or code == -signal.SIGKILL:
            # Nobody has adopted the orphans, or a model has ended its guardian.
            _kill_all(self._marked)
        return code

    def _await_guardian(self) -> None:
        """Lets a guardian clear away what was ended; a model may have stopped it, so this does not wait long."""
        end = time.monotonic() + SECONDS_FOR_GUARDIAN
        while has_guardians() and not self.has_ended() and time.monotonic() < end:
            time.sleep(SECONDS_BETWEEN_LOOKS_AT_GUARDIAN)

    def _marked(self) -> list[psutil.Process]:
        """Returns the processes that were started in this tree; those too whose parent is gone."""
        return [
            process
            for process in psutil.process_iter()
            if process.pid != self.process.pid and self._has_marker(process)
        ]

    def _has_marker(self, process: psutil.Process) -> bool:
        # Other users' processes cannot be read, and are not of this tree.
        with suppress(psutil.Error, OSError):
            return bool(process.environ().get(MARKER) == self._marker)
        return False


def kill_descendants(pid: int) -> None:
    """Ends all processes that a process has started, and that these have started, but not the process itself."""
    _kill_all(lambda: descendants(pid))


def _own_session() -> dict[str, Any]:
    if hasattr(subprocess, "CREATE_NEW_PROCESS_GROUP"):
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _kill_all(find: Callable[[], list[psutil.Process]]) -> None:
    """Ends the processes that ``find`` returns, until it returns none that is alive; at most ``SECONDS_TO_KILL``."""
    end = time.monotonic() + SECONDS_TO_KILL
    while (alive := [process for process in find() if _is_alive(process)]) and time.monotonic() < end:
        for process in alive:
            with suppress(psutil.Error):
                process.kill()


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
