import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.tasks.leakage import leakage
from recbench.tasks.spec import LeaveOneOut, Negatives, SyntheticData, TaskSpec
from recbench.tasks.task import Cases, Task

SPEC = TaskSpec(
    name="leaky",
    dataset=SyntheticData(source="synthetic"),
    split=LeaveOneOut(method="leave-one-out"),
    negatives=Negatives(method="uniform", count=1),
)


def a_task(train, test, n_users=4, n_items=5):
    """``train`` and ``test`` are lists of user, item, time."""
    columns = [np.array([row[n] for row in rows], dtype=np.int64) for rows in (train, test) for n in range(3)]
    users, items, times, case_users, case_items, case_times = columns
    nothing = np.empty(0, dtype=np.int32)
    return Task(
        SPEC,
        IdTable.from_strings(map(str, range(n_users))),
        IdTable.from_strings(map(str, range(n_items))),
        Rows(users.astype(np.int32), items.astype(np.int32), timestamps=times),
        Cases(case_users.astype(np.int32), case_items.astype(np.int32), np.empty((len(test), 0), dtype=np.int32)),
        np.empty(0, dtype=np.int64),
        Cases(nothing, nothing, np.empty((0, 0), dtype=np.int32)),
        0,
        case_times,
    )


def test_shares_of_a_small_split():
    train = [(0, 0, 1), (0, 1, 9), (1, 0, 2), (1, 2, 8), (3, 3, 7)]
    test = [(0, 2, 5), (1, 1, 10), (2, 4, 6)]
    shares = leakage(a_task(train, test))
    assert shares.cases_before_their_item == 1 / 3  # item 2 is first met at 8, the case is at 5
    assert shares.train_rows_after_own_case == 1 / 4  # (0, 1, 9), of the rows of users 0 and 1
    assert shares.train_rows_after_first_case == 3 / 5  # later than 5
    assert shares.cold_cases == 1 / 3
    assert shares.cases_of_cold_users == 1 / 3
    assert shares.cold_items == 1 / 5
    assert shares.cold_users == 1 / 4


rows_of = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 9)), min_size=1, unique_by=lambda row: row[:2]
)


@given(rows_of, rows_of)
def test_against_a_plain_loop(train, test):
    shares = leakage(a_task(train, test))
    firsts = {item: min(t for _, i, t in train if i == item) for _, item, _ in train}
    own = {user: min(t for u, _, t in test if u == user) for user, _, _ in test}
    assert shares.cases_before_their_item == sum(firsts.get(i, t) > t for _, i, t in test) / len(test)
    mine = [t > own[u] for u, _, t in train if u in own]
    assert shares.train_rows_after_own_case == (sum(mine) / len(mine) if mine else 0)
    assert shares.cold_cases == sum(i not in firsts for _, i, _ in test) / len(test)


def test_without_times_only_what_needs_none(board):
    shares = leakage(board)
    assert (shares.cases_before_their_item, shares.train_rows_after_own_case) == (None, None)
    assert shares.cold_cases == 0


def test_a_split_in_the_order_of_time_leaves_no_own_row_for_later(synthetic_task):
    assert leakage(synthetic_task).train_rows_after_own_case == 0
    backwards = dataclasses.replace(
        synthetic_task, rows=dataclasses.replace(synthetic_task.rows, timestamps=synthetic_task.timestamps[::-1])
    )
    assert leakage(backwards).train_rows_after_own_case > 0
