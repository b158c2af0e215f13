"""The models of the next trials are imported beside that of a trial, and never while a trial is fitted."""

import time
from types import SimpleNamespace

import pytest

from recbench.records.schema import Status
from recbench.registry.models import ModelReference, Origin
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Assignment
from recbench.runners.processes import imports_ahead, local
from recbench.runners.processes.imports_ahead import ImportsAhead
from recbench.runners.processes.local import LocalProcesses
from recbench.runners.processes.messages import MessageError, Refused
from recbench.runners.processes.supervision import SOURCE_CHANGED
from recbench.tasks import task_file
from recbench.trials.conditions import Conditions
from recbench.trials.events import EventKind
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import PlannedTrial

OWN = """
import os
import time
from pathlib import Path
import numpy as np

IMPORTED = Path(__file__).with_name("imported")


def first(number):
    try:
        IMPORTED.with_name(f"began{number}").mkdir()
    except FileExistsError:
        return False
    return True


BEGAN = time.monotonic()
# The third takes the longest: the fit of the second waits for it.
time.sleep(0.5 if next(filter(first, range(9))) == 2 else 0.15)
(IMPORTED / str(os.getpid())).touch()
ENDED = time.monotonic()


class Own:
    def fit(self, train, context):
        began = time.monotonic()
        time.sleep(0.15)
        context.report(began=BEGAN, ended=ENDED, fit_began=began, fit_ended=time.monotonic())

    def score(self, users, items):
        return np.zeros(items.shape)
"""


def run(tmp_path, task, monkeypatch, trials, concurrent=1):
    (tmp_path / "own_model.py").write_text(OWN)
    (tmp_path / "imported").mkdir()
    task_file.save(task, tmp_path / "s.task")
    for module in (imports_ahead, local):
        monkeypatch.setattr(module, "available_cores", lambda: 2)
    events = []
    assignment = Assignment(tmp_path / "s.task", TaskFacts.of(task), Conditions(), concurrent=concurrent)
    runner = LocalProcesses(assignment, events.append)
    try:
        requested = RequestedModel(ModelReference("Own", f"{tmp_path}/own_model.py:Own", Origin.FILE), {})
        (model,) = runner.configure([requested])
        plan = [PlannedTrial(model, seed) for seed in range(trials)]
        records = [outcome.record for _, outcome in runner.run(plan, tmp_path)]
        # A trial that fails in its import does not wait for the others.
        if all(record.status is Status.DONE for record in records):
            assert not runner._ahead.importing
    finally:
        runner.close()
    assert not runner._ahead.importing
    assert [event.kind for event in events].count(EventKind.STARTED) == trials
    return records


def overlaps(first, second):
    return first[0] < second[1] and second[0] < first[1]


def test_imports_overlap_each_other_and_no_fit(tmp_path, synthetic_task, monkeypatch):
    records = run(tmp_path, synthetic_task, monkeypatch, trials=4)
    imports = [(record.facts["began"], record.facts["ended"]) for record in records]
    fits = [(record.facts["fit_began"], record.facts["fit_ended"]) for record in records]
    assert not any(overlaps(fit, other) for fit in fits for other in imports)
    # The first has been imported when the run was planned.
    assert [later[1] < fit[0] for later, fit in zip(imports[1:], fits, strict=False)] == [False, True, False]
    assert len(list((tmp_path / "imported").iterdir())) == 4
    assert [record.imports_during_fit for record in records] == [0] * 4


def test_a_source_that_is_changed_after_the_plan_fails_the_trials_of_imports_ahead(
    tmp_path, synthetic_task, monkeypatch
):
    begin = ImportsAhead.begin

    def begin_with_changed_source(*arguments):
        (tmp_path / "own_model.py").write_text(OWN + "\nCHANGED = True\n")
        begin(*arguments)

    monkeypatch.setattr(ImportsAhead, "begin", begin_with_changed_source)
    records = run(tmp_path, synthetic_task, monkeypatch, trials=4)
    assert records[0].status is Status.DONE
    for record in records[1:]:
        assert (record.status, record.error) == (Status.FAILED, f"{SOURCE_CHANGED}; in import")


def test_the_record_shows_an_import_during_a_fit(tmp_path, synthetic_task, monkeypatch):
    records = run(tmp_path, synthetic_task, monkeypatch, trials=2, concurrent=2)
    # The first is fitted while the model of the second is imported.
    assert records[0].imports_during_fit == 1


class Worker:
    """A process that has said something, or has ended, or has used too much memory."""

    requested = RequestedModel(ModelReference("Own", "own:Own", Origin.MODULE))

    def __init__(self, *answers, over=False, pipe=False, memory=None):
        self._answers, self._over, self._memory = answers, over, memory
        self.answers_pipe = SimpleNamespace(ended=pipe)
        self.is_ended = False

    def answers(self):
        for answer in self._answers:
            if isinstance(answer, Exception):
                raise answer
            yield answer, b""

    def has_ended(self):
        return self._over

    def beyond_memory(self):
        return self._memory

    def end(self):
        self.is_ended = True


FAILED = {
    "it refuses the model": Worker(Refused(message="no", hint="")),
    "it says what is no message": Worker(MessageError("{")),
    "it has ended": Worker(over=True),
    "it has closed its pipe": Worker(pipe=True),
    "it uses much memory": Worker(memory="used 2 GB"),
}


@pytest.mark.parametrize("worker", FAILED.values(), ids=FAILED)
def test_an_import_that_fails_is_left_to_its_trial(monkeypatch, worker):
    monkeypatch.setattr(imports_ahead, "available_cores", lambda: 8)
    started = [worker, still := Worker()]
    ahead = ImportsAhead(lambda requested: started.pop(0), None)
    ahead.begin([Worker.requested] * 3, [Worker()])
    assert ahead.importing == [worker, still]
    assert ahead.step() == []
    assert worker.is_ended
    assert ahead.importing == [still]
    ahead.close()
    assert still.is_ended


def test_an_import_may_take_as_long_as_a_trial(monkeypatch):
    monkeypatch.setattr(imports_ahead, "available_cores", lambda: 2)
    ahead = ImportsAhead(lambda requested: Worker(), 0.0)
    ahead.begin([Worker.requested] * 3, [])
    (worker,) = ahead.importing
    time.sleep(0.001)
    assert ahead.step() == ahead.importing == []
    assert worker.is_ended
