"""No test case within reach of a tuning: not in its task, not in its file, not in a trial's process."""

import json

import numpy as np
import pandas as pd
import pytest

from recbench.errors import RecbenchError
from recbench.tasks import task_file
from recbench.tasks.lookup import load_task
from recbench.tasks.make import make_task
from recbench.tasks.task import NO_ITEM, Cases, Task
from recbench.tasks.tuning_task import tuning_task
from recbench.tasks.verify import verify
from tests.test_quarantine import arrays_of, leaks, pairs, reachable

SPY = """
import gc
import json
import sys
from pathlib import Path

import numpy as np


class Spy:
    '''Searches what is not held back from a model: the stack, all objects, and the files that are mapped.'''

    def __init__(self, nosy: float = 0.5):
        pass

    def fit(self, train, context):
        found = {"tasks": [], "files": []}
        frame = sys._getframe()
        things = list(gc.get_objects())
        while frame:
            things += frame.f_locals.values()
            frame = frame.f_back
        for thing in things:
            if type(thing).__name__ == "Task":
                found["tasks"].append([thing.test.users.tolist(), thing.test.items.tolist(), len(thing.validation)])
            if type(thing).__name__ == "Work":
                found["files"].append(str(thing.task_file))
        found["maps"] = sorted({line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()
                                if line.endswith(".task")})
        found["train"] = [train.users.tolist(), train.items.tolist()]
        Path("spied.json").write_text(json.dumps(found))

    def score(self, users, items):
        return (users[:, None] * 7 + items) % 5 / 5
"""


@pytest.fixture(params=["board", "synthetic_task"])
def task(request):
    return request.getfixturevalue(request.param)


def secrets_of_test(task):
    return {f"test.{name}": getattr(task.test, name) for name in ("users", "items", "negatives")}


def test_its_train_rows_are_those_for_validation_and_its_cases_the_validation_cases(task):
    seen = tuning_task(task)
    for array, expected in zip(arrays_of(seen.train_set()), arrays_of(task.train_set_for_validation()), strict=True):
        assert np.array_equal(array, expected)
    assert np.array_equal(seen.test.items, task.validation.items)
    assert np.array_equal(seen.test.negatives, task.validation.negatives)
    assert (len(seen.validation), seen.n_users, seen.n_items) == (0, task.n_users, task.n_items)
    assert (seen.name, seen.spec.digest) == (f"{task.name}-validation", None)
    assert seen.digest != task.digest
    verify(seen)


def test_nothing_in_it_or_its_file_leads_to_a_test_case(task, tmp_path):
    seen = tuning_task(task)
    secrets = secrets_of_test(task)
    leaked = {leak for leak in leaks(reachable(seen), secrets) if leak not in ("Task", "Cases")}
    if task.name == "checkerboard":
        # Whose users have one test and one validation case each, with the same negatives.
        leaked -= {"memory of test.users", "values of test.negatives"}
    assert not leaked
    test = pairs(task.test.users, task.test.items)
    assert not test & pairs(seen.users, seen.items)
    assert not test & pairs(seen.test.users, seen.test.items)
    task_file.save(seen, tmp_path / "seen.task")
    content = (tmp_path / "seen.task").read_bytes()
    assert task.test.items.tobytes() not in content
    assert task.name == "checkerboard" or task.test.negatives.tobytes() not in content
    assert task_file.load(tmp_path / "seen.task").digest == seen.digest
    # The search can see: the whole task's file has them.
    task_file.save(task, tmp_path / "whole.task")
    assert task.test.items.tobytes() in (tmp_path / "whole.task").read_bytes()
    assert "memory of test.items" in leaks(reachable(task), secrets)


def dense_ratings():
    """Returns a DataFrame of users of whom some have few items left, and of an item that only late rows have."""
    rng = np.random.default_rng(0)
    sizes = [*range(8, 28), 8, 8]
    rows = [(user, int(item)) for user, n in enumerate(sizes) for item in rng.permutation(30)[:n]]
    rows = [rows[n] for n in rng.permutation(len(rows))]
    frame = pd.DataFrame(rows, columns=["user", "item"]).assign(timestamp=10**9 + np.arange(len(rows)))
    late = pd.DataFrame([(user, 99, 15 * 10**8) for user in range(5)], columns=frame.columns)
    return pd.concat([frame, late], ignore_index=True)


TUNABLE_SPLITS = [
    "leave-one-out",
    {"method": "leave-last-n", "n": 3},
    {"method": "random-fraction", "fraction": 0.2},
    {"method": "global-time", "fraction": 0.2},
    {"method": "global-time", "fraction": 0.2, "unknown": "keep"},
]


@pytest.mark.parametrize("split", TUNABLE_SPLITS)
@pytest.mark.parametrize("too_few", [None, "leave-out", "fewer"])
@pytest.mark.parametrize("method", ["uniform", "popularity"])
def test_it_passes_all_checks_whatever_the_rule_for_negatives(split, too_few, method, tmp_path):
    task = make_task(dense_ratings(), split=split, negatives={"method": method, "count": 10, "too_few": too_few})
    seen = tuning_task(task)
    task_file.save(seen, tmp_path / "seen.task")
    verify(task_file.load(tmp_path / "seen.task"))
    counts = seen.test.n_negatives
    assert (counts.min() < 10) == (too_few == "fewer")
    published = make_task((task.train_frame(), task.cases_frame()), negatives=dict(task.spec.negatives))
    verify(tuning_task(published))


def test_it_is_verified_before_any_trial(board):
    broken = board.validation.negatives.copy()
    broken[0, 0] = broken[0, 1]
    parts = {name: getattr(board, name) for name in ("rows", "test", "validation_rows")}
    validation = Cases(board.validation.users, board.validation.items, broken)
    task = Task(board.spec, board.user_ids, board.item_ids, **parts, validation=validation)
    with pytest.raises(RecbenchError, match="a test case has the same negative twice"):
        tuning_task(task)


def test_too_many_negatives_are_no_fewer_negatives():
    task = make_task(dense_ratings(), negatives={"method": "uniform", "count": 10, "too_few": "fewer"})
    lists = task.validation.negatives
    wider = np.append(lists, np.full((len(lists), 1), NO_ITEM, dtype=np.int32), axis=1)
    full = int(np.flatnonzero(task.validation.n_negatives == 10)[0])
    every = np.union1d(task.items[task.users == task.validation.users[full]], wider[full])
    wider[full, -1] = np.setdiff1d(np.arange(task.n_items), every)[0]
    parts = {name: getattr(task, name) for name in ("rows", "test", "validation_rows")}
    validation = Cases(task.validation.users, task.validation.items, wider)
    with pytest.raises(RecbenchError, match="does not have 10 negatives"):
        tuning_task(Task(task.spec, task.user_ids, task.item_ids, **parts, validation=validation))


def test_a_task_without_validation_cases(board):
    none = Cases(*(getattr(board.validation, name)[:0] for name in ("users", "items", "negatives")))
    rest = {"validation": none, "validation_rows": np.empty(0, np.int64)} | {
        name: getattr(board, name) for name in ("rows", "test")
    }
    empty = Task(board.spec, board.user_ids, board.item_ids, **rest)
    with pytest.raises(RecbenchError, match="has no validation case to tune on"):
        tuning_task(empty)


def test_a_task_whose_train_rows_are_all_validation_cases(board):
    of_validation = board.validation_rows[: len(board.validation)]
    rest = {"rows": board.rows.take(of_validation), "test": board.test, "validation": board.validation}
    row_indices = np.arange(len(of_validation))
    whole = Task(board.spec, board.user_ids, board.item_ids, **rest, validation_rows=row_indices)
    with pytest.raises(RecbenchError, match="has no row to train on besides its validation cases"):
        tuning_task(whole)


def test_a_spy_in_a_trials_process_finds_no_test_case(recbench, home, tmp_path):
    (tmp_path / "spy.py").write_text(SPY)
    (tmp_path / "spaces.toml").write_text("[Spy]\nnosy = { low = 0.0, high = 1.0 }\n")
    base = ("--models", "spy.py:Spy", "--task", "synthetic")
    # With a variable of Python's own, no process is forked: a forked one could inherit a task from other tests.
    done = recbench("tune", *base, "--trials", "1", "--spaces", "spaces.toml", "-o", "s.toml", PYTHONHASHSEED="0")
    assert done.returncode == 0, done.stderr
    task = load_task("synthetic")
    test, validation = (pairs(cases.users, cases.items) for cases in (task.test, task.validation))

    def spied():
        spy_report = json.loads((tmp_path / "spied.json").read_text())
        cases = [set(zip(users, items, strict=True)) for users, items, _ in spy_report["tasks"]]
        return spy_report, cases, set(zip(*spy_report["train"], strict=True))

    spy_report, cases, rows = spied()
    assert cases
    assert all(case_pairs == validation for case_pairs in cases)
    assert all(n_validation == 0 for *_, n_validation in spy_report["tasks"])
    assert not (test | validation) & rows
    assert rows | validation == pairs(task.users, task.items)
    assert set(spy_report["files"]) == set(spy_report["maps"])
    (file,) = spy_report["maps"]
    assert file.startswith(str(home / "tasks" / "tuning"))
    read = task_file.load(tmp_path / file)
    assert not test & (pairs(read.users, read.items) | pairs(read.test.users, read.test.items))
    # The spy can see: in a run, whose trials score test cases, it finds them.
    assert recbench("run", *base, "--seeds", "1", PYTHONHASHSEED="0").returncode == 0
    _, cases, rows = spied()
    assert all(case_pairs == test for case_pairs in cases)
    assert rows == pairs(task.users, task.items)
