"""Trials on a real Dask cluster of this machine: where they run, and what is left when parts of it disappear."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from recbench.records.sides import read_side

pytest.importorskip("distributed")

OWN = """
import os, signal, time
import numpy as np


class Waits:
    '''Its first seed is ready at once; the others wait for a file.'''

    def fit(self, train, context):
        context.report(process=os.getpid(), parent=os.getppid())
        while context.seed and not os.path.exists("go"):
            time.sleep(0.02)

    def score(self, users, items):
        return np.random.default_rng(0).random(items.shape)


class KillsItsWorker(Waits):
    def fit(self, train, context):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A scheduler and its workers, whose cache folders differ from each other's and from that of the run."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.workers = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def add_worker(self) -> subprocess.Popen:
        arguments = ("--host", "127.0.0.1", "--nthreads", "2", "--no-nanny", "--no-dashboard", "--death-timeout", "20")
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

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen:
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
                stdout=log, stderr=log, env={**os.environ, **environment},
            )  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    for _ in range(2):
        found.add_worker()
    yield found
    found.end()


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own_model.py").write_text(OWN)
    return tmp_path


class Run:
    """A run whose messages are read while it goes on."""

    def __init__(self, folder: Path, address: str, *arguments: str):
        take = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
        self.process = subprocess.Popen(
            [sys.executable, "-m", "recbench", "run", "--task", "synthetic", "--cluster", address, *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=take,
        )  # fmt: skip
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


def records(folder: Path):
    return [trial.record for trial in read_side(str(folder / "results" / "runs")).trials]


def trial_processes(cluster: Cluster) -> list[psutil.Process]:
    found = []
    for worker in cluster.workers:
        if worker.poll() is None:
            found += psutil.Process(worker.pid).children(recursive=True)
    return [one for one in found if "recbench.trials.worker" in " ".join(one.cmdline())]


def test_the_same_ranks_as_here_and_the_task_is_sent_once(cluster, own):
    arguments = ("--models", "random,own_model.py:Waits", "--seeds", "2")
    (own / "go").touch()
    Run(own, cluster.address, *arguments).end(0)
    (own / "here").mkdir()
    here = subprocess.run(
        [sys.executable, "-m", "recbench", "run", "--task", "synthetic", *arguments, "-o", "here"],
        cwd=own, capture_output=True, check=True,
    )  # fmt: skip
    assert here.returncode == 0
    there = sorted((own / "results" / "runs").glob("*.npz"))
    assert [path.read_bytes() for path in there] == [(own / "here" / path.name).read_bytes() for path in there]
    found = records(own)
    assert len(found) == 4
    assert {record.facts["parent"] for record in found if record.model == "Waits"} <= {w.pid for w in cluster.workers}
    assert {record.concurrent_trials for record in found} == {2}
    shipped = list(cluster.folder.glob("home*/tasks/shipped/*"))
    assert len(shipped) == 2
    before = [path.stat().st_mtime_ns for path in shipped]
    Run(own, cluster.address, *arguments, "--force").end(0)
    assert [path.stat().st_mtime_ns for path in cluster.folder.glob("home*/tasks/shipped/*")] == before


def test_an_interrupted_run_ends_its_trials(cluster, own):
    run = Run(own, cluster.address, "--models", "own_model.py:Waits", "--seeds", "3")
    run.wait_for(r"\[3/3\] Waits, seed 2 on tcp")
    while len(trial_processes(cluster)) < 2:
        time.sleep(0.05)
    workers = trial_processes(cluster)
    run.process.send_signal(signal.SIGINT)
    run.end(130)
    assert "1 of 3 trials are kept" in run.messages
    assert [record.seed for record in records(own)] == [0]
    assert not psutil.wait_procs(workers, timeout=10)[1]


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


def test_a_connection_that_is_cut(cluster, own):
    proxy = Proxy(cluster.port)
    run = Run(own, f"tcp://127.0.0.1:{proxy.port}", "--models", "own_model.py:Waits", "--seeds", "3")
    run.wait_for(r"\[3/3\] Waits, seed 2 on tcp")
    workers = trial_processes(cluster)
    proxy.cut()
    run.end(2)
    assert f"The connection to the cluster at tcp://127.0.0.1:{proxy.port} is lost." in run.messages
    assert "the same command goes on" in run.messages
    assert [record.seed for record in records(own)] == [0]
    assert not psutil.wait_procs(workers, timeout=10)[1]
    (own / "go").touch()
    again = Run(own, cluster.address, "--models", "own_model.py:Waits", "--seeds", "3")
    again.end(0)
    assert "1 of 3 trials are kept" in again.messages
    assert [record.seed for record in records(own)] == [0, 1, 2]


def test_a_worker_that_is_killed_in_the_middle_of_a_trial(cluster, own):
    run = Run(own, cluster.address, "--models", "own_model.py:Waits", "--seeds", "3")
    run.wait_for(r"\[3/3\] Waits, seed 2 on tcp")
    while len(trial_processes(cluster)) < 2:
        time.sleep(0.05)
    cluster.workers[0].kill()
    run.wait_for(r"Worker tcp://127.0.0.1:\d+ is gone, and with it Waits, seed [12]\.")
    (own / "go").touch()
    run.end(0)
    found = records(own)
    assert [record.seed for record in found] == [0, 1, 2]
    assert {record.facts["parent"] for record in found[1:]} == {cluster.workers[1].pid}


def test_a_trial_whose_workers_die_is_given_up(cluster, own):
    for _ in range(3):
        cluster.add_worker()
    run = Run(own, cluster.address, "--models", "own_model.py:KillsItsWorker,popularity", "--seeds", "1")
    run.end(3)
    killed, popularity = records(own)
    assert (killed.status.value, killed.error) == ("failed", "its worker died, 3 times")
    assert popularity.status.value == "done"
    assert run.messages.count("is gone, and with it KillsItsWorker, seed 0.") == 3


def test_a_scheduler_that_is_killed(cluster, own):
    """The last test of this cluster."""
    run = Run(own, cluster.address, "--models", "own_model.py:Waits", "--seeds", "2")
    run.wait_for(r"\[2/2\] Waits, seed 1 on tcp")
    workers = trial_processes(cluster)
    cluster.scheduler.kill()
    run.end(2)
    assert f"The connection to the cluster at {cluster.address} is lost." in run.messages
    assert [record.seed for record in records(own)] == [0]
    assert not psutil.wait_procs(workers, timeout=20)[1]


def test_nobody_there(own):
    run = Run(own, f"tcp://127.0.0.1:{free_port()}", "--models", "popularity")
    run.end(2)
    assert "There is no Dask scheduler at tcp://127.0.0.1:" in run.messages
    assert not (own / "results").exists()
