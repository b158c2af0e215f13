"""Which worker of a cluster gets a trial, without any cluster: silent, full, gone and busy workers."""

import errno
import logging
import pickle

import pytest

from recbench.errors import RecbenchError
from recbench.records.schema import Status
from recbench.registry.models import find_model
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Assignment, runner_name
from recbench.runners.dask import cluster as module
from recbench.runners.dask import remote_trials, tasks
from recbench.runners.dask.connection import Worker
from recbench.runners.dask.remote_trials import UnusableWorkerError
from recbench.runners.dask.worker_watch import SECONDS_UNTIL_SILENT, WorkerWatch
from recbench.runners.limits import Limits
from recbench.trials.conditions import Conditions
from recbench.trials.events import Event, EventKind
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import PlannedModel, PlannedTrial

pytest.importorskip("distributed")


def trials(n):
    model = PlannedModel(RequestedModel(find_model("popularity")), {}, None)
    return [PlannedTrial(model, seed) for seed in range(n)]


def test_addresses():
    for address in (
        "tcp://h:8786",
        "h:8786",
        "tls://10.0.0.1:1",
        "[::1]:8786",
        "tcp://[fe80::1]:65535/",
        "inproc://1/2",
    ):
        assert runner_name(address) == "dask"
    for address in ("127.0.0.1", "tcp://h", "[::1]"):
        with pytest.raises(RecbenchError, match="names no port") as raised:
            runner_name(address)
        assert ":8786" in raised.value.hint
    for address in (
        "",
        "tcp://",
        ":8786",
        "h:0",
        "h:65536",
        "h:８７",
        "h:1:2",
        "a b:1",
        "h\0:1",
        "tcp://h:",
        "x" * 999,
    ):
        with pytest.raises(RecbenchError, match="names no port|is not the address of a host and a port") as raised:
            runner_name(address)
        assert len(str(raised.value)) < 500
    with pytest.raises(RecbenchError, match="Unknown scheme"):
        runner_name("http://h:1")


def test_a_worker_is_silent_without_signs_of_life(caplog):
    watch = WorkerWatch("tcp://s:1")
    watch.update({"a": Worker("h", 1.0), "b": Worker("h", 1.0)}, 0.0)
    watch.update({"a": Worker("h", 2.0), "b": Worker("h", 1.0)}, SECONDS_UNTIL_SILENT + 1)
    assert watch.usable() == {"a": "h"}
    assert watch.is_silent("b")
    assert not watch.is_silent("gone")
    watch.update({"b": Worker("h", 1.5)}, SECONDS_UNTIL_SILENT + 2)
    assert watch.usable() == {"b": "h"}


def test_a_run_without_workers_says_that_it_waits(caplog):
    caplog.set_level(logging.INFO, "recbench")
    watch = WorkerWatch("tcp://s:1")
    watch.update({"a": Worker("h", 1.0)}, 0.0)
    for now in (1.0, 3.0, 6.5, 7.0, 20.0):
        watch.update({}, now)
    watch.update({"b": Worker("h", 1.0)}, 21.0)
    waits, goes_on = (record.getMessage() for record in caplog.records)
    assert "no longer has workers. The run waits for one; start one: dask worker tcp://s:1" in waits
    assert goes_on == "Worker b answers; the run continues."


def test_workers_that_cannot_run_trials_are_left_out():
    watch = WorkerWatch("tcp://s:1")
    watch.update({"a": Worker("h", 1.0), "b": Worker("h", 1.0)}, 0.0)
    watch.leave_out("a", UnusableWorkerError("No space left on device.", "Free some space."))
    assert watch.usable() == {"b": "h"}
    with pytest.raises(RecbenchError, match="No worker of the cluster can run trials:\n  a: No space"):
        watch.leave_out("b", UnusableWorkerError("Read-only file system.", "x"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EMFILE])
def test_what_the_system_of_a_worker_refuses_is_no_lost_connection(monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "refused", "x")

    monkeypatch.setattr(remote_trials, "receive_part", refuse)
    with pytest.raises(UnusableWorkerError, match="x: refused") as raised:
        tasks.receive_part("sha256:" + "0" * 64, "name", b"", 0)
    back = pickle.loads(pickle.dumps(raised.value))
    assert (type(back), back.message, back.hint) == (UnusableWorkerError, raised.value.message, raised.value.hint)
    monkeypatch.setattr(remote_trials, "receive_part", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tasks.receive_part("sha256:" + "0" * 64, "name", b"", 0)


class Future:
    def __init__(self, key):
        self.key, self.cancelled = key, False

    def done(self):
        return False

    def add_done_callback(self, _):
        pass

    def cancel(self, force=False):
        self.cancelled = True


class Connection:
    """A cluster that does nothing but take trials."""

    def __init__(self, *_):
        self.of_workers, self.others, self.futures, self.last_seen = ["a"], {}, [], 0.0

    def listen(self, *_):
        pass

    def workers(self, wait=False):
        self.last_seen += 1
        return {worker: Worker(worker, self.last_seen) for worker in self.of_workers}

    def processing(self):
        return {worker: list(self.others.get(worker, [])) for worker in self.of_workers}

    def send_task(self, worker, *_):
        if worker == "full":
            raise UnusableWorkerError("No space left on device.", "Free some space.")
        return worker != "another run sends it to"

    def submit(self, worker, *_):
        self.futures.append(Future(f"run_trial-{len(self.futures)}-{worker}"))
        return self.futures[-1]


@pytest.fixture
def runner(tmp_path, board, monkeypatch):
    monkeypatch.setattr(module, "DaskConnection", Connection)
    assignment = Assignment(
        tmp_path / "t.task", TaskFacts.of(board), Conditions(), Limits(seconds=5.0), address="tcp://s:1"
    )
    found = module.Cluster(assignment, lambda event: None)
    return found, found._connection, tmp_path


def given(runner, trials, workers, now=0.0):
    found, connection, _ = runner
    connection.of_workers = workers
    found._watch.update(connection.workers(), now)
    found._waiting.extend(trials)
    found._dispatch(iter(()))
    return [one.worker for one in found._running.values()]


def test_a_trial_goes_where_no_other_run_has_one(runner):
    _, connection, _ = runner
    connection.others = {"a": ["run_trial-x"], "b": ["inc-1"]}
    assert given(runner, trials(1), ["a", "b"]) == ["b"]


def test_a_trial_behind_that_of_another_run_is_taken_back_when_a_worker_is_free(runner):
    found, connection, _ = runner
    connection.others = {"a": ["run_trial-x"]}
    assert given(runner, trials(1), ["a"]) == ["a"]
    (running,) = found._running.values()
    found._take_back(running.since + 10)
    assert found._running, "no other worker is free"
    connection.of_workers = ["a", "b"]
    found._watch.update(connection.workers(), 1.0)
    found._take_back(running.since + 1)
    assert found._running, "it may still begin"
    found._take_back(running.since + 10)
    assert connection.futures[0].cancelled
    found._dispatch(iter(()))
    assert [one.worker for one in found._running.values()] == ["b"]
    assert list(found._attempts.values()) == [1]


def test_a_worker_that_refuses_the_task_is_left_out(runner):
    assert given(runner, trials(2), ["full", "b"]) == ["b"]
    assert given(runner, [], ["full", "b"]) == ["b"]


def test_a_worker_gets_no_trial_while_another_run_sends_the_task(runner):
    _, connection, _ = runner
    assert given(runner, trials(2), ["another run sends it to", "b"]) == ["b"]
    connection.send_task = lambda *_: True
    assert given(runner, [], ["another run sends it to", "b"]) == ["b", "another run sends it to"]


def test_the_limit_of_a_trial_holds_without_its_worker(runner, tmp_path):
    found, connection, _ = runner
    given(runner, trials(1), ["a"])
    (running,) = found._running.values()
    key, start = next(iter(found._running)), running.since
    assert found._overdue(start + 1000) == [], "it has not begun"
    found._tell(key, Event(EventKind.PHASE, name="import").to_json())
    found._tell(key, Event(EventKind.PHASE, name="fit").to_json())
    since = running.since
    connection.workers = lambda: {"a": Worker("a", 1.0)}
    assert found._overdue(since + 6) == [], "its worker answers, and ends it"
    found._watch.update(connection.workers(), 100.0)
    found._watch.update(connection.workers(), 100.0 + SECONDS_UNTIL_SILENT + 1)
    assert found._overdue(since + 4) == []
    (overdue,) = found._overdue(since + 6)
    assert connection.futures[0].cancelled
    outcome = found._failed(overdue.trial, tmp_path, "took longer", Status.TIMED_OUT)
    assert outcome.record.status is Status.TIMED_OUT
