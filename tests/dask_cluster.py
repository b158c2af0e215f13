"""A real Dask cluster of this machine, and commands that use it.

Its scheduler, its workers, the commands and the processes of trials are forked, see ``tests/program_server.py``: each
of them has its own process, as on a real cluster, but does not import Dask again.
"""

import contextlib
import os
import re
import socket
import threading
from pathlib import Path

import psutil

from tests.forked_program import ForkedProgram
from tests.program_server import DASK, ProgramServer

NO_DASHBOARD = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")
"""Without a dashboard, Dask still opens its usual port, which another test's cluster may have."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A scheduler and its workers, whose cache folders differ from each other's and from that of the run."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.server = ProgramServer(DASK)
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.workers = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), *NO_DASHBOARD)

    def add_worker(self) -> ForkedProgram:
        arguments = ("--host", "127.0.0.1", "--nthreads", "2", "--no-nanny", *NO_DASHBOARD, "--death-timeout", "20")
        home = self.folder / f"home{len(self.workers)}"
        worker = self._start(
            "worker", self.address, *arguments, "--local-directory", str(self.folder / "dask"), RECBENCH_HOME=str(home)
        )
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self.server.close()

    def _start(self, *arguments: str, **environment: str) -> ForkedProgram:
        name, log = f"distributed.cli.dask_{arguments[0]}", self.folder / f"{arguments[0]}.log"
        return self.server.popen(arguments[1:], Path.cwd(), {**os.environ, **environment}, name, log)


class Run:
    """A run or another command whose messages are read while it goes on."""

    def __init__(self, cluster: Cluster, folder: Path, *arguments: str, command: str = "run", address: str = ""):
        used = ("--task", "synthetic", "--cluster", address or cluster.address)
        self.process = cluster.server.popen([command, *used, *arguments], folder, os.environ)
        self.messages = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        while not (found := re.search(pattern, self.messages)):
            line = self.process.stderr.readline()
            assert line, self.messages
            self.messages += line
        return found

    def end(self, code: int) -> str:
        output, rest = self.process.communicate(timeout=60)
        self.messages += rest
        assert self.process.returncode == code, self.messages
        assert "Traceback" not in self.messages
        return output


def trial_processes(cluster: Cluster) -> list[psutil.Process]:
    """Returns the processes of trials, without their guardians."""
    found = []
    for worker in cluster.workers:
        if worker.poll() is None:
            found += psutil.Process(worker.pid).children(recursive=True)
    return [one for one in found if one.ppid() in {other.pid for other in found}]


class Proxy:
    """Passes bytes on between the run and the scheduler, until it is cut."""

    def __init__(self, port: int):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                one, _ = self.listener.accept()
                other = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.sockets += [one, other]
            for source, sink in ((one, other), (other, one)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source, sink):
        try:
            while content := source.recv(65536):
                sink.sendall(content)
        except OSError:
            pass

    def cut(self):
        for one in (self.listener, *self.sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
