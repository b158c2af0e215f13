"""Starts the processes of trials quickly for tests that call recbench in their own process.

``tests/forked_workers.py`` does so for runs of the program. Here a server, which has what a trial's process imports,
makes the process, and makes it a child of the process of the tests, which waits for it and ends it as usual.
"""

import ctypes
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import recbench
from recbench.runners.processes.starting import START

ROOT = Path(__file__).parent.parent
SIZE_BYTES = 4
N_STREAMS = 3
CLONE_PARENT = 0x8000
NUMBERS_OF_CLONE = {"x86_64": 56, "aarch64": 220}
"""Of the system call, in Linux; elsewhere all processes are started as usual."""


class TrialServer:
    """The server of a test session. Make it in the main thread: its trials end with the thread that made it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.environment = dict(os.environ)
        self._socket, servers = socket.socketpair()
        with servers:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked_trials", str(servers.fileno())],
                cwd=ROOT,
                pass_fds=[servers.fileno()],
                start_new_session=True,
            )

    def close(self) -> None:
        self._socket.close()
        self._process.wait()

    def start(self, command: list[str], folder: Any, environment: Mapping[str, str], streams: list[int]) -> int:
        """Starts the process of a trial; returns its id."""
        request = json.dumps([command, str(folder or Path.cwd()), dict(environment)]).encode()
        with self._lock:
            socket.send_fds(self._socket, [len(request).to_bytes(SIZE_BYTES)], streams)
            self._socket.sendall(request)
            return int.from_bytes(self._socket.recv(SIZE_BYTES))

    def popen(self) -> type[subprocess.Popen[Any]]:
        """Returns the class that takes the place of ``subprocess.Popen``."""
        # Not at the head: it imports what a trial's process imports.
        from tests.forked_workers import WORKERS, same_at_start

        server = self

        class ForkingPopen(subprocess.Popen[Any]):
            def _execute_child(
                self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, info, flags, shell, *others
            ):
                pipes = others[:6]
                # The ends for the process; where there is none, it has the stream of this process.
                streams = [number if end == -1 else end for number, end in enumerate((pipes[0], pipes[3], pipes[5]))]
                environment = os.environ if env is None else env
                if not (
                    isinstance(args, list)
                    and START in args
                    and json.loads(args[-1])[0] == recbench.__file__
                    and json.loads(args[-1])[-1] in WORKERS
                    and same_at_start(environment, server.environment)
                ):
                    super()._execute_child(
                        args, executable, preexec_fn, close_fds, pass_fds, cwd, env, info, flags, shell, *others
                    )
                    return
                try:
                    self.pid = server.start(args, cwd, environment, streams)
                    self._child_created = True
                finally:
                    self._close_pipe_fds(*pipes)

        return ForkingPopen


def can_make_siblings() -> bool:
    """Whether this system lets a process make another child of its parent."""
    return sys.platform == "linux" and platform.machine() in NUMBERS_OF_CLONE


def serve(connection: socket.socket) -> None:
    """Serves until the other end is closed."""
    from tests.forked_workers import ForkedWorkers

    workers = ForkedWorkers()
    # The lock of the interpreter is kept: the new process has no other thread that could give it back.
    clone = ctypes.PyDLL(None).syscall
    number = NUMBERS_OF_CLONE[platform.machine()]
    while True:
        size, streams, _, _ = socket.recv_fds(connection, SIZE_BYTES, N_STREAMS)
        if not size:
            return
        request = b""
        while len(request) < int.from_bytes(size):
            request += connection.recv(int.from_bytes(size) - len(request))
        command, folder, environment = json.loads(request)
        pid = clone(number, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            os.setsid()
            for place, stream in enumerate(streams):
                os.dup2(stream, place)
            os.chdir(folder)
            random.seed()
            workers.become(command, environment)
        for stream in streams:
            os.close(stream)
        connection.sendall(pid.to_bytes(SIZE_BYTES))


if __name__ == "__main__":
    # The folder of the project is none of the trial's.
    del sys.path[0]
    serve(socket.socket(fileno=int(sys.argv[1])))
