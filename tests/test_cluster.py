"""Trials on a real Dask cluster of this machine: where they run, and what is left when parts of it disappear."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from recbench.records.selection import read_records
from recbench.runners.dask import scheduler_check
from tests.command_line import CommandLine
from tests.dask_cluster import Cluster, Proxy, Run, free_port, trial_processes

pytest.importorskip("distributed")

OWN = """
import os, signal, time
import numpy as np
import psutil


def worker():
    '''Its parent is its guardian.'''
    return psutil.Process(os.getppid()).ppid()


class Waits:
    '''Its first seed is ready at once; the others wait for a file.'''

    def fit(self, train, context):
        context.report(process=os.getpid(), worker=worker())
        while context.seed and not os.path.exists("go"):
            time.sleep(0.02)

    def score(self, users, items):
        return np.random.default_rng(0).random(items.shape)


class KillsItsWorker(Waits):
    def fit(self, train, context):
        os.kill(worker(), signal.SIGKILL)
        time.sleep(60)
"""


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


def records(folder: Path):
    return [trial.record for trial in read_records(str(folder / "results" / "runs")).trials]


def test_the_same_ranks_as_here_and_the_task_is_sent_once(cluster, own, recbench):
    arguments = ("--models", "random,own_model.py:Waits", "--seeds", "2")
    (own / "go").touch()
    Run(cluster, own, *arguments).end(0)
    (own / "here").mkdir()
    assert recbench("run", "--task", "synthetic", *arguments, "-o", "here").returncode == 0
    there = sorted((own / "results" / "runs").glob("*.npz"))
    assert [path.read_bytes() for path in there] == [(own / "here" / path.name).read_bytes() for path in there]
    found = records(own)
    assert len(found) == 4
    assert {record.facts["worker"] for record in found if record.model == "Waits"} <= {w.pid for w in cluster.workers}
    assert {record.concurrent_trials for record in found} == {2}
    shipped = list(cluster.folder.glob("home*/tasks/shipped/*"))
    assert len(shipped) == 2
    # Not the time of modification, which is that of the last use.
    before = {path: path.stat().st_ino for path in shipped}
    Run(cluster, own, "--models", "random", "--seeds", "2", "--force").end(0)
    assert {path: path.stat().st_ino for path in cluster.folder.glob("home*/tasks/shipped/*")} == before


def test_an_interrupted_run_ends_its_trials(cluster, own):
    run = Run(cluster, own, "--models", "own_model.py:Waits", "--seeds", "3")
    run.wait_for(r"\[3/3\] Waits, seed 2 on tcp")
    while len(trial_processes(cluster)) < 2:
        time.sleep(0.05)
    workers = trial_processes(cluster)
    run.process.send_signal(signal.SIGINT)
    run.end(130)
    assert "1 of 3 trials are kept" in run.messages
    assert [record.seed for record in records(own)] == [0]
    assert not psutil.wait_procs(workers, timeout=10)[1]


def test_a_connection_that_is_cut(cluster, own):
    proxy = Proxy(cluster.port)
    run = Run(cluster, own, "--models", "own_model.py:Waits", "--seeds", "3", address=f"tcp://127.0.0.1:{proxy.port}")
    run.wait_for(r"\[3/3\] Waits, seed 2 on tcp")
    workers = trial_processes(cluster)
    proxy.cut()
    run.end(2)
    assert f"The connection to the cluster at tcp://127.0.0.1:{proxy.port} is lost." in run.messages
    assert "run the same command to resume" in run.messages
    assert [record.seed for record in records(own)] == [0]
    assert not psutil.wait_procs(workers, timeout=10)[1]
    (own / "go").touch()
    again = Run(cluster, own, "--models", "own_model.py:Waits", "--seeds", "3")
    again.end(0)
    assert "1 of 3 trials are kept" in again.messages
    assert [record.seed for record in records(own)] == [0, 1, 2]


def test_a_worker_that_is_killed_in_the_middle_of_a_trial(cluster, own):
    run = Run(cluster, own, "--models", "own_model.py:Waits", "--seeds", "3")
    run.wait_for(r"\[3/3\] Waits, seed 2 on tcp")
    while len(trial_processes(cluster)) < 2:
        time.sleep(0.05)
    cluster.workers[0].kill()
    run.wait_for(r"Worker tcp://127.0.0.1:\d+ is gone, and with it Waits, seed [12]\.")
    (own / "go").touch()
    run.end(0)
    found = records(own)
    assert [record.seed for record in found] == [0, 1, 2]
    assert {record.facts["worker"] for record in found[1:]} == {cluster.workers[1].pid}


def test_a_trial_whose_workers_die_is_given_up(cluster, own):
    for _ in range(3):
        cluster.add_worker()
    run = Run(cluster, own, "--models", "own_model.py:KillsItsWorker,popularity", "--seeds", "1")
    run.end(3)
    killed, popularity = records(own)
    assert (killed.status.value, killed.error) == ("failed", "its worker died, 3 times")
    assert popularity.status.value == "done"
    assert run.messages.count("is gone, and with it KillsItsWorker, seed 0.") == 3


def test_a_scheduler_that_is_killed(cluster, own):
    """The last test of this cluster."""
    run = Run(cluster, own, "--models", "own_model.py:Waits", "--seeds", "2")
    run.wait_for(r"\[2/2\] Waits, seed 1 on tcp")
    run.wait_for(r"Waits, seed 0 on tcp\S+: HR")
    workers = trial_processes(cluster)
    cluster.scheduler.kill()
    run.end(2)
    assert f"The connection to the cluster at {cluster.address} is lost." in run.messages
    assert [record.seed for record in records(own)] == [0]
    assert not psutil.wait_procs(workers, timeout=20)[1]


def test_nobody_there(own, capfd, monkeypatch):
    monkeypatch.chdir(own)
    monkeypatch.setattr(scheduler_check, "SECONDS_TO_CONNECT", 0.5)
    program, address = CommandLine(capfd, monkeypatch), f"tcp://127.0.0.1:{free_port()}"
    for command in (["run"], ["tune", "--trials", "1", "-o", "tuned.toml"]):
        done = program(*command, "--models", "itemknn", "--task", "synthetic", "--cluster", address)
        assert done.code == 2
        assert f"There is no Dask scheduler at {address}" in done.err
        assert not (own / "results").exists()
