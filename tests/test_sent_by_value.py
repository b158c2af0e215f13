"""Classes that no module holds: how they reach the trial's process, and what tells two versions of one apart."""

import json
import os

import pytest

from recbench.errors import RecbenchError
from recbench.records import store
from recbench.records.schema import Status
from recbench.registry.class_version import class_code
from recbench.registry.requested import request_models
from recbench.runners.processes.messages import Prepare

CELL = """
import numpy as np
from helpers import WEIGHT

SHIFT = 1.0
KINDS = {"a", "b"}

def counted(items, size):
    return np.bincount(items, minlength=size) + SHIFT

class Mine:
    def __init__(self, power: float = 1.0, layers=(2, 1)):
        self.power = power

    def fit(self, train, context):
        self.counts = counted(train.items, train.n_items) ** self.power * WEIGHT
        assert "a" in KINDS

    def score(self, users, items):
        return np.array([[self.counts[item] for item in row] for row in items])
"""

RUN = """
import sys
from pathlib import Path

from recbench.records.store import save
from recbench.registry.requested import Model, request_models
from recbench.runners.base import Assignment, create_runner
from recbench.tasks.lookup import find_task, load_task
from recbench.trials.conditions import Conditions
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import plan_trials
from recbench.trials.resume import find

task = load_task("synthetic")
conditions = Conditions()
assignment = Assignment(find_task("synthetic").path, TaskFacts.of(task), conditions)
name = "in-process" if "--in-process" in sys.argv else "processes"
runner = create_runner(name, assignment, lambda event: None, lambda trial: True)
try:
    planned = runner.configure(request_models([Mine, Model(Mine, power=0.5, label="half"), "popularity"]))
    trials = plan_trials(planned, [0, 1])
    print([find(trial, task, conditions, Path("runs")) is not None for trial in trials])
    for trial, outcome in runner.run(trials, Path("runs")):
        save(outcome.record, outcome.ranks, Path("runs"))
finally:
    runner.close()
"""


@pytest.fixture
def script(tmp_path, program_server):
    """Runs a cell as the main module of a program."""

    def run(cell, *arguments):
        (tmp_path / "helpers.py").write_text("WEIGHT = 2.0")
        (tmp_path / "cell.py").write_text(cell + RUN)
        done = program_server.run(arguments, tmp_path, os.environ, timeout=300, program="cell.py")
        assert done.returncode == 0, done.stderr
        paths = sorted((tmp_path / "runs").glob("*.json"))
        return json.loads(done.stdout.replace("T", "t").replace("F", "f")), [store.load(path) for path in paths]

    return run


@pytest.mark.parametrize("arguments", [(), ("--in-process",)], ids=["processes", "in process"])
def test_a_class_of_the_main_module_runs(script, arguments):
    reused, records = script(CELL, *arguments)
    assert reused == [False] * 6
    assert [record.error for record in records if record.status is not Status.DONE] == []
    mine = [record for record in records if record.model == "Mine"]
    assert {(record.label, record.seed) for record in mine} == {("", 0), ("", 1), ("half", 0), ("half", 1)}
    assert {record.reference for record in mine} == {"__main__:Mine (sent by value)"}
    assert mine[0].parameters == {"power": 1.0, "layers": [2, 1]} or mine[0].label == "half"
    metrics = {record.label or record.model: record.metrics for record in records}
    assert metrics["Mine"] == metrics["popularity"]
    # The same cell again, further down in its file.
    reused, _ = script("\n\n\n" + CELL)
    assert reused == [True] * 6


def test_records_of_another_version_of_the_class_are_not_taken(script):
    script(CELL)
    reused, _ = script(CELL.replace("SHIFT = 1.0", "SHIFT = 2.0"))
    assert reused == [False] * 4 + [True] * 2


def version_of(source):
    namespace = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), namespace)
    return class_code(namespace["Mine"]).version


SOURCE = CELL.replace("from helpers import WEIGHT", "WEIGHT = 3")

CHANGES = {
    "a variable": ("SHIFT = 1.0", "SHIFT = 1.5"),
    "a set": ('{"a", "b"}', '{"a", "c"}'),
    "a function": ("minlength=size) +", "minlength=size) -"),
    "a method": ("** self.power", "* self.power"),
    "a default": ("power: float = 1.0", "power: float = 2.0"),
    "a comprehension": ("self.counts[item]", "-self.counts[item]"),
    "an attribute": ("class Mine:", "class Mine:\n    repeatable_on_threads = True"),
    "a base": ("class Mine:", "class Base:\n    x = 1\nclass Mine(Base):"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_the_class_does_is_another_version(old, new):
    assert old in SOURCE
    assert version_of(SOURCE) != version_of(SOURCE.replace(old, new))


def test_what_changes_nothing_is_the_same_version():
    assert version_of(SOURCE) == version_of(
        "# note\n" + SOURCE.replace("SHIFT = 1.0", "SHIFT = 1.0  # note\nOTHER = 3")
    )
    assert version_of(SOURCE).startswith("sha256:")


@pytest.mark.parametrize("value", ["object()", "np.array([object()])", "threading.Lock()", "{object()}"])
def test_a_class_that_uses_what_cannot_be_told_has_no_version(value):
    assert version_of(SOURCE.replace("SHIFT = 1.0", f"import threading\nSHIFT = {value}")) is None


def test_the_class_follows_its_message_as_bytes():
    class Own:
        def fit(self, train, context):
            pass

        def score(self, users, items):
            return items * 1.0

    (requested,) = request_models([Own])
    message = Prepare.of(requested, None)
    assert message.size == len(requested.reference.pickled) > 0
    again = Prepare.model_validate_json(message.model_dump_json())
    assert again.with_class(requested.reference.pickled) == requested
    other = again.with_class(b"2.7\n" + requested.reference.pickled.partition(b"\n")[2])
    with pytest.raises(RecbenchError, match=r"class was sent by Python 2\.7"):
        other.reference.load()
