"""Lets the server of ``tests/program_server.py`` fork the processes of trials that a test starts in its own process.

A process of tests has loaded far more than a trial's process may have, and so cannot fork one. The server can; what it
forks is a child of the process of tests, as if that had started it.
"""

import inspect
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from tests.forked_workers import is_trial, same_at_start
from tests.program_client import TRIALS, read_number, send_request
from tests.program_server import ProgramServer

PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
CHILDS_ENDS = ("p2cread", "c2pwrite", "errwrite")
"""As ``subprocess`` calls them: what it passes to the new process as input, output and messages."""
BIND = inspect.signature(subprocess.Popen._execute_child).bind  # type: ignore[attr-defined]


def served_popen(server: ProgramServer) -> type[subprocess.Popen[bytes]]:
    """Returns a ``subprocess.Popen`` that asks a server for the processes of trials, and starts all others.

    A copy of this process, which a test may fork, starts all: the server's processes would not be its own.
    """
    owner = os.getpid()

    class ServedPopen(subprocess.Popen[bytes]):
        def _execute_child(self, *arguments: Any) -> None:
            given = BIND(self, *arguments).arguments
            environment = os.environ if given["env"] is None else given["env"]
            is_mine = os.getpid() == owner
            if not (is_mine and is_trial(given["args"]) and same_at_start(environment, server.environment)):
                super()._execute_child(*arguments)  # type: ignore[misc]
                return
            streams = [given[name] if given[name] >= 0 else number for number, name in enumerate(CHILDS_ENDS)]
            server.start()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(server.path) + TRIALS)
                send_request(connection, [given["args"], str(given["cwd"] or Path.cwd()), dict(environment)], streams)
                self.pid = read_number(connection)
            self._child_created = True
            self._close_pipe_fds(*(given[name] for name in PIPES))  # type: ignore[attr-defined]

    return ServedPopen
