"""A good record is never replaced by a worse one, and a killed write loses neither the old record nor the new one."""

import os
import signal
from datetime import UTC, datetime

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.process_locks import LockHeldError, lock_held
from recbench.records import store
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.interruption import Terminated, interruptible
from recbench.records.replacement import combined
from recbench.records.schema import CatalogueValue, MetricValue, Status
from recbench.records.selection import read_records
from recbench.runners import schedule
from recbench.trials.conditions import TrialOutcome
from recbench.trials.planned import PlannedModel
from tests.examples import a_curve, a_record
from tests.killed_children import killed_at_each_write

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child process is a copy of this one")


def a_result(*, full: bool = False, hits: int = 5, **changes) -> FinishedTrial:
    """A done trial of ten cases, of which ``hits`` are hits."""
    better = np.where(np.arange(10) < hits, 0, 50).astype(np.int32)
    users, zeros = np.arange(10, dtype=np.int32), np.zeros(10, dtype=np.int32)
    ranks = Ranks(users, zeros + 100, better, zeros)
    metrics = {
        name: MetricValue(
            mean=means.mean, user_mean=means.user_mean, optimistic=means.optimistic, pessimistic=means.pessimistic
        )
        for name, means in compute_metrics(ranks, (10,)).items()
    }
    if full:
        changes["catalogue"] = CatalogueValue(
            metrics=metrics, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0
        )
    record = a_record("bpr", 0, metrics=metrics, n_cases=10, n_users=10, **{"code_version": "1", **changes})
    return FinishedTrial.in_memory(record, TrialRanks(ranks, ranks if full else None), "")


def a_failure(status: Status = Status.FAILED) -> FinishedTrial:
    record = a_record("bpr", 0, status=status, error="no luck", code_version="1")
    return FinishedTrial(record, "")


def put(trial: FinishedTrial, folder, *, same_code: bool = True) -> FinishedTrial:
    return store.save(trial.record, trial.ranks, folder, lambda old, new: combined(old, new, lambda _: same_code))


def kept(folder) -> FinishedTrial:
    """The only trial of a folder, as a reader finds it."""
    (trial,) = read_records(str(folder)).trials
    assert trial.ranks is not None or trial.record.status is not Status.DONE
    return trial


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
def test_a_failure_replaces_no_good_record_of_the_same_code(tmp_path, status):
    put(a_result(full=True), tmp_path)
    assert put(a_failure(status), tmp_path).record.status is status
    assert kept(tmp_path).full_ranks is not None
    # The failure of changed code takes its place, for the old record is not of that code. Its results are kept.
    put(a_failure(status), tmp_path, same_code=False)
    assert kept(tmp_path).record.status is status
    assert kept(tmp_path / "replaced").full_ranks is not None


def test_a_failure_that_was_set_aside_keeps_the_results_of_earlier_code(tmp_path):
    put(a_result(full=True), tmp_path)
    failure = a_failure()
    changed = failure.record.model_copy(update={"code_version": "2", "started_at": datetime(2026, 2, 1, tzinfo=UTC)})
    store.set_aside(FinishedTrial(changed, ""), tmp_path)
    store.store_set_aside(tmp_path)
    assert kept(tmp_path).record.status is Status.FAILED
    assert kept(tmp_path / "replaced").full_ranks is not None


def test_what_only_the_old_record_has_is_added_to_the_new_one(tmp_path):
    put(a_result(full=True), tmp_path)
    put(a_result(curve=a_curve(0.1, 0.5), fit_seconds=9.0), tmp_path)
    trial = kept(tmp_path)
    assert trial.record.fit_seconds == 9
    assert trial.full_ranks is not None
    assert len(trial.record.curve) == 2
    put(a_result(full=True, catalogue_error=None), tmp_path)
    assert len(kept(tmp_path).record.curve) == 2


def test_other_ranks_replace_only_what_has_no_more(tmp_path):
    put(a_result(full=True), tmp_path)
    put(a_result(hits=7), tmp_path)
    assert kept(tmp_path).full_ranks is not None
    assert kept(tmp_path).record.metrics["hr@10"].mean == 0.5
    put(a_result(hits=7, full=True), tmp_path)
    assert kept(tmp_path).record.metrics["hr@10"].mean == 0.7
    put(a_result(hits=3), tmp_path, same_code=False)
    assert kept(tmp_path).record.metrics["hr@10"].mean == 0.3


@needs_fork
@pytest.mark.parametrize("new", [a_result(hits=7), a_failure()], ids=["done", "failed"])
def test_a_killed_write_loses_neither_the_old_record_nor_a_finished_one(tmp_path, new):
    folder = tmp_path / "runs"

    def write():
        put(new, folder, same_code=False)

    put(a_result(), folder)
    seen = set()
    for _ in killed_at_each_write(write):
        trial = kept(folder)
        seen.add((trial.record.status, trial.record.metrics.get("hr@10") and trial.record.metrics["hr@10"].mean))
        write()
        assert kept(folder).record.status is new.record.status
        assert {path.name for path in folder.iterdir()} - {"replaced"} == {
            ".lock",
            *(f"{new.record.stem()}.{ending}" for ending in (("json", "npz") if new.ranks else ("json",))),
        }
        store.save(a_result().record, a_result().ranks, folder)
    assert len(seen) == 2


def test_a_record_that_the_system_does_not_let_be_read_is_not_replaced(tmp_path, monkeypatch):
    stored = put(a_result(), tmp_path)
    before = stored.path.read_bytes()

    def refuse(path):
        raise OSError(24, "Too many open files", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "read_bytes", refuse)
        with pytest.raises(RecbenchError, match="Too many open files"):
            put(a_result(hits=7), tmp_path)
    assert stored.path.read_bytes() == before


class Results:
    """A ``Runner`` whose trials are over at once, with these results."""

    def __init__(self, *results: FinishedTrial) -> None:
        self._results = results

    def run(self, trials, folder):
        for trial, result in zip(trials, self._results, strict=True):
            yield trial, TrialOutcome(result.record, result.ranks)


@pytest.fixture
def planned(monkeypatch):
    """A trial whose code is that of every record."""
    monkeypatch.setattr(schedule, "is_current", lambda record, trial: True)
    monkeypatch.setattr(schedule, "with_own_files_checked", lambda record, model: record)

    class Planned:
        label, model = "bpr, seed 0", PlannedModel

    return Planned


@pytest.fixture
def locked_folder(tmp_path, monkeypatch):
    """A folder of records whose lock a stopped process holds."""
    folder = tmp_path / "runs"
    schedule.prepare(folder)
    monkeypatch.setattr(schedule, "prepare", lambda folder: None)  # the process stops after it
    reading, writing = os.pipe()
    if (holder := os.fork()) == 0:
        with lock_held(folder / ".lock", 9):
            os.write(writing, b"!")
            signal.pause()
    os.read(reading, 1)
    yield folder
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    for descriptor in (reading, writing):
        os.close(descriptor)
    # The next command stores the result.
    assert kept(folder).record.metrics["hr@10"].mean == 0.5
    assert not list(folder.glob(".unsaved-*"))


@needs_fork
def test_an_interruption_while_the_folder_is_locked_ends_the_run_and_loses_nothing(locked_folder, planned):
    events = []
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(Terminated), interruptible():
            schedule.run_plan(Results(a_result()), [planned], locked_folder, events.append)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(events) == 1
    assert events[0].kept


@needs_fork
def test_a_folder_that_stays_locked_keeps_the_result_for_the_next_run(locked_folder, planned, monkeypatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.1)
    with pytest.raises(LockHeldError, match=r"bpr, seed 0 is kept\. The next run") as caught:
        schedule.run_plan(Results(a_result()), [planned], locked_folder, lambda event: None)
    assert "kill -CONT" in caught.value.hint


def test_a_full_disk_keeps_what_is_finished_and_names_what_is_lost(tmp_path, planned, monkeypatch):
    other = a_result()
    other = FinishedTrial.in_memory(other.record.model_copy(update={"seed": 1}), other.ranks, "")
    results, fsync = [], os.fsync

    def full_at_the_second(descriptor):
        if results:
            raise OSError(28, os.strerror(28))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(RecbenchError, match=r"No space left on device. The result of bpr, seed 0 is lost") as caught:
        schedule.run_plan(Results(a_result(), other), [planned, planned], tmp_path, results.append)
    assert "The result before it is kept" in caught.value.message
    assert "run the same command again" in caught.value.hint
    assert kept(tmp_path).record.seed == 0
