"""Leakage of a split: how often a model learns from rows that are later than a case, and how many cases are cold.

A split by user is not a split by time: a model may learn from rows that are later than a case. The shares measure how
often; they are no verdict.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int64Array
from recbench.tasks.task import Task

LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Leakage:
    """Shares, 0 to 1; shares that need times are None if the task has none.

    Attributes:
        cases_before_their_item: Cases whose item has train rows, all of them later than the case: at that time nobody
            had interacted with the item.
        train_rows_after_own_case: Train rows that are later than the first case of their own user; of the train rows
            of users with a case.
        train_rows_after_first_case: Train rows that are later than the earliest case of all.
        cases_tied_in_time: Cases whose user has a train row of the same time, so that the order of the file decided
            which of them is the last.
        cold_cases: Cases whose item has no train row at all.
        cases_of_cold_users: Cases whose user has no train row.
        cold_items: Items of the catalogue without a train row.
        cold_users: Users without a train row.
    """

    cases_before_their_item: float | None
    train_rows_after_own_case: float | None
    train_rows_after_first_case: float | None
    cases_tied_in_time: float | None
    cold_cases: float
    cases_of_cold_users: float
    cold_items: float
    cold_users: float


def leakage(task: Task) -> Leakage:
    """Computes the shares for the test cases."""
    test = task.test
    rows_of_item = np.bincount(task.items, minlength=task.n_items)
    rows_of_user = np.bincount(task.users, minlength=task.n_users)
    before, after_own, after_first = None, None, None
    if task.test_times is not None and task.timestamps is not None:
        first_of_item = _earliest(task.items, task.timestamps, task.n_items)
        own_case = _earliest(test.users, task.test_times, task.n_users)
        has_train_rows = rows_of_item[test.items] > 0
        before = _share(has_train_rows & (first_of_item[test.items] > task.test_times))
        has_case = own_case[task.users] < LATEST
        after_own = _share((task.timestamps > own_case[task.users])[has_case])
        after_first = _share(task.timestamps > task.test_times.min())
    tied = tied_in_time(task)
    return Leakage(
        before,
        after_own,
        after_first,
        None if tied is None else _share(tied),
        _share(rows_of_item[test.items] == 0),
        _share(rows_of_user[test.users] == 0),
        _share(rows_of_item == 0),
        _share(rows_of_user == 0),
    )


def tied_in_time(task: Task) -> npt.NDArray[np.bool_] | None:
    """Marks (bool[test cases]) the cases whose user has a train row of the same time; None if there are no times."""
    if task.timestamps is None or task.test_times is None:
        return None
    latest = np.full(task.n_users, -1, dtype=np.int64)
    np.maximum.at(latest, task.users, task.timestamps)
    return np.asarray(latest[task.test.users] == task.test_times, dtype=np.bool_)


def _earliest(codes: npt.NDArray[np.int32], times: Int64Array, n: int) -> Int64Array:
    earliest = np.full(n, LATEST, dtype=np.int64)
    np.minimum.at(earliest, codes, times)
    return earliest


def _share(marked: npt.NDArray[np.bool_]) -> float:
    return float(marked.mean()) if len(marked) else 0.0
