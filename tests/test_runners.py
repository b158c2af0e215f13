"""What the runners with processes have in common: trials are taken when there is room, and ended when unwanted."""

import time
from dataclasses import replace

import psutil
import pytest

from recbench.records.schema import Status
from recbench.registry.models import ModelReference, Origin
from recbench.registry.requested import RequestedModel, request_models
from recbench.runners.base import Assignment
from recbench.runners.dask.cluster import Cluster
from recbench.runners.limits import Limits
from recbench.runners.processes.local import LocalProcesses
from recbench.tasks import task_file
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.events import EventKind
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import PlannedTrial, plan_trials
from tests import dask_cluster

pytest.importorskip("distributed")

OWN = """
import time
from dataclasses import replace
import numpy as np


class Own:
    '''With its first seed, it does not get beyond its first epoch in the time that a test may take.'''

    def fit(self, train, context):
        context.end_epoch()
        until = time.monotonic() + 120 * (context.seed == 0)
        while time.monotonic() < until:
            time.sleep(0.02)

    def score(self, users, items):
        return np.zeros(items.shape)
"""
AT_A_TIME = 2


class Points(list):
    """The learning curves' points, by trial. A trial that hangs is not wanted any more once it has been scored."""

    def on_event(self, event):
        if event.kind is EventKind.POINT:
            self.append(event.trial.label)

    def wanted(self, trial):
        return trial.seed != 0 or trial.label not in self


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    local_cluster = dask_cluster.Cluster(tmp_path_factory.mktemp("cluster"))
    for _ in range(AT_A_TIME):
        local_cluster.add_worker()
    yield local_cluster
    local_cluster.end()


@pytest.fixture
def points():
    return Points()


@pytest.fixture(params=["local", "cluster"])
def runner(request, tmp_path, synthetic_task, points):
    (tmp_path / "own_model.py").write_text(OWN)
    task_file.save(synthetic_task, tmp_path / "s.task")
    conditions = Conditions(curve=CurveEpochs(every=1))
    assignment = Assignment(tmp_path / "s.task", TaskFacts.of(synthetic_task), conditions, Limits(), AT_A_TIME)
    if request.param == "local":
        trial_runner = LocalProcesses(assignment, points.on_event, points.wanted)
    else:
        assignment = replace(assignment, address=request.getfixturevalue("cluster").address)
        trial_runner = Cluster(assignment, points.on_event, points.wanted)
        while len(trial_runner._connection.workers(wait=True)) < AT_A_TIME:
            time.sleep(0.05)
    yield trial_runner
    trial_runner.close()


def own(runner, tmp_path):
    requested = RequestedModel(ModelReference("Own", f"{tmp_path}/own_model.py:Own", Origin.FILE), {})
    (model,) = runner.configure([requested])
    return model


def trial_processes():
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "recbench.runners.processes.worker" in " ".join(child.cmdline())]


def test_a_trial_is_taken_when_there_is_room(runner, tmp_path):
    model, ended, before = own(runner, tmp_path), [], []

    def trials():
        for seed in range(1, 6):
            before.append(len(ended))
            yield PlannedTrial(model, seed)

    for trial, outcome in runner.run(trials(), tmp_path):
        assert outcome.record.status == "done"
        ended.append(trial.seed)
    assert sorted(ended) == [1, 2, 3, 4, 5]
    # Two at once, and then one each time that one has ended.
    assert before[:AT_A_TIME] == [0, 0]
    assert all(number - AT_A_TIME < count for number, count in enumerate(before) if number >= AT_A_TIME)


def test_a_trial_that_is_not_wanted_any_more_is_ended_and_others_take_its_place(runner, points, tmp_path):
    model = own(runner, tmp_path)
    trials = (PlannedTrial(model, 0, number) if number < 2 else PlannedTrial(model, number) for number in range(5))
    outcomes = list(runner.run(trials, tmp_path))
    assert sorted(trial.seed for trial, _ in outcomes) == [2, 3, 4]
    assert not psutil.wait_procs(trial_processes(), timeout=10)[1]
    assert points.count("Own trial 0, seed 0") == points.count("Own trial 1, seed 0") == 1


def test_trials_of_one_model_and_seed_are_told_apart(runner, tmp_path):
    model = own(runner, tmp_path)
    trials = [PlannedTrial(model, 1, number) for number in range(3)]
    assert sorted(trial.number for trial, _ in runner.run(trials, tmp_path)) == [0, 1, 2]
    logs = sorted(path.stem.rpartition("--")[2] for path in (tmp_path / "logs").iterdir())
    assert logs == ["trial0", "trial1", "trial2"]


def test_a_class_that_no_module_holds_is_sent_to_its_process(runner, tmp_path):
    class Local:
        def fit(self, train, context):
            self.size = train.n_items

        def score(self, users, items):
            return items / self.size

    (planned,) = runner.configure(request_models([Local]))
    assert planned.code_version is not None
    outcomes = [outcome for _, outcome in runner.run(plan_trials([planned], [1, 2]), tmp_path)]
    assert [(outcome.record.status, outcome.record.error) for outcome in outcomes] == [(Status.DONE, None)] * 2
    assert {outcome.record.reference.endswith("Local (sent by value)") for outcome in outcomes} == {True}
