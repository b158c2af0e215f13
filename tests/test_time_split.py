from datetime import datetime
from decimal import Decimal
from math import ceil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions
from recbench.data.ordering import dense_codes
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.tasks import task_file
from recbench.tasks.build import split_and_draw
from recbench.tasks.exchange.export import export
from recbench.tasks.exchange.forms import ExportForm
from recbench.tasks.exchange.imports import import_folder
from recbench.tasks.make import make_task
from recbench.tasks.spec import GlobalTime, Negatives, SyntheticData, TaskSpec, parse_spec
from recbench.tasks.time_split import held_out_from, rows_before_or_known, split_time
from recbench.tasks.verify import verify

# user, item, time; user 2 and item 9 are new at 5.
ROWS = [
    (0, 7, 1),
    (0, 8, 2),
    (1, 7, 3),
    (1, 8, 4),
    (0, 9, 5),
    (1, 6, 1),
    (1, 5, 2),
    (0, 4, 1),
    (0, 6, 6),
    (2, 7, 6),
    (2, 8, 7),
]


def interactions(rows):
    users, user_ids = dense_codes(np.array([row[0] for row in rows], dtype=np.int32))
    items, item_ids = dense_codes(np.array([row[1] for row in rows], dtype=np.int32))
    ids = (IdTable.from_strings(map(str, values.tolist())) for values in (user_ids, item_ids))
    times = np.array([row[2] for row in rows], dtype=np.int64)
    return Interactions(Rows(users, items, timestamps=times), *ids)


def at(moment, unknown="drop"):
    return GlobalTime(method="global-time", at=moment, unknown=unknown)


def spec(split, count=1):
    return TaskSpec(
        name="timed",
        dataset=SyntheticData(source="synthetic"),
        split=split,
        negatives=Negatives(method="uniform", count=count),
    )


def originals(task, users, items):
    return {(task.user_ids[int(u)], task.item_ids[int(i)]) for u, i in zip(users, items, strict=True)}


def timed_ratings():
    """Returns a DataFrame of which the last fifth of the rows is mostly of users who are new then."""
    rng = np.random.default_rng(1)
    late = np.arange(2000) >= 1600
    users = np.where(late & (rng.random(2000) < 0.85), rng.integers(60, 100, 2000), rng.integers(0, 60, 2000))
    frame = pd.DataFrame({"user": users, "item": rng.integers(0, 150, 2000), "timestamp": 10**9 + np.arange(2000)})
    return frame.drop_duplicates(["user", "item"])


@pytest.mark.parametrize("unknown", ["drop", "keep"])
def test_users_who_are_left_out_do_not_move_the_time_of_the_others(unknown):
    frame = timed_ratings()
    # A user with all items, some of them late, has no negatives left.
    heavy = pd.DataFrame({"user": 999, "item": range(150), "timestamp": 10**9 + np.linspace(0, 1999, 150).astype(int)})
    every = pd.concat([frame, heavy])
    time = np.sort(every["timestamp"])[-ceil(len(every) / 5)]
    split = {"method": "global-time", "fraction": "0.2", "unknown": unknown}
    task = make_task(every, split=split, negatives=20)
    assert "999" not in set(task.user_ids)
    assert task.timestamps.max() < time <= task.test_times.min()
    rules = {"split": {"method": "global-time", "at": int(time), "unknown": unknown}, "negatives": 20}
    same = make_task(frame, **rules)
    for left, right in ((task.rows, same.rows), (task.test, same.test), (task.validation, same.validation)):
        assert np.array_equal(left.users, right.users)
        assert np.array_equal(left.items, right.items)
    assert np.array_equal(task.test.negatives, same.test.negatives)


def test_no_row_is_left_before_the_time_without_the_users_who_are_left_out():
    # Before time 5 only user 0 has rows, and nothing is left to be a negative of that user.
    rows = [(0, item, item) for item in range(8)] + [(1, 0, 6), (2, 1, 7)]
    with pytest.raises(RecbenchError, match="No row is before the time 5 of the split"):
        split_and_draw(spec(at(5, "keep")), interactions(rows))


def test_new_users_and_items_are_dropped():
    task = split_and_draw(spec(at(5)), interactions(ROWS))
    verify(task)
    assert originals(task, task.test.users, task.test.items) == {("0", "6")}
    assert sorted(task.user_ids) == ["0", "1"]
    assert sorted(task.item_ids) == ["4", "5", "6", "7", "8"]
    assert task.n_train == 7


def test_or_kept():
    task = split_and_draw(spec(at(5, "keep")), interactions(ROWS))
    verify(task)
    assert originals(task, task.test.users, task.test.items) == {("0", "9"), ("0", "6"), ("2", "7"), ("2", "8")}
    assert originals(task, task.users, task.items) == {
        ("0", "7"),
        ("0", "8"),
        ("0", "4"),
        ("1", "7"),
        ("1", "8"),
        ("1", "6"),
        ("1", "5"),
    }


def test_validation_has_no_new_users_and_items_if_test_has_none(tmp_path):
    # Times 0 to 7 are train; validation holds out 6 and 7, and item 9 and user 3 are new then.
    rows = [(0, 0, 0), (1, 1, 1), (2, 0, 2), (0, 1, 3), (1, 2, 4), (2, 2, 5), (0, 9, 6), (3, 0, 6), (1, 0, 7)]
    rows += [(2, 1, 7), (3, 1, 8), (0, 2, 8), (2, 9, 8), (3, 2, 8), *((4, item, 0) for item in range(20, 26))]
    for unknown, n_cases in (("drop", 2), ("keep", 4)):
        task = split_and_draw(spec(at(8, unknown)), interactions(rows).numbered_by_hash())
        verify(task)
        cases = originals(task, task.validation.users, task.validation.items)
        assert len(cases) == n_cases
        assert {("1", "0"), ("2", "1")} <= cases
        # What is held out is the same: no row is learned from that is later than a case.
        assert len(task.validation_rows) == 4
        assert task.train_set_for_validation().timestamps.max() == 5
        task_file.save(task, tmp_path / unknown)
        assert task_file.load(tmp_path / unknown).digest == task.digest
        export(task, tmp_path / f"{unknown}-csv", ExportForm.CSV)
        assert import_folder("again", tmp_path / f"{unknown}-csv").digest == task.digest


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 9)), min_size=2, unique_by=lambda r: r[:2]),
    st.integers(1, 9),
)
def test_against_a_plain_loop(rows, moment):
    times = [time for _, _, time in rows]
    if not min(times) < moment <= max(times):
        with pytest.raises(RecbenchError, match="No row is"):
            split_time(at(moment), interactions(rows))
        return
    before = [row for row in rows if row[2] < moment]
    users, items = {row[0] for row in before}, {row[1] for row in before}
    known = [row in before or (row[0] in users and row[1] in items) for row in rows]
    assert rows_before_or_known(moment, interactions(rows)).tolist() == known
    test, validation = held_out_from(moment, interactions(rows))
    assert sorted(test.tolist()) == [n for n, row in enumerate(rows) if row[2] >= moment]
    assert set(validation.tolist()) <= {n for n, row in enumerate(rows) if row[2] < moment}
    left = [n for n, row in enumerate(rows) if row[2] < moment and n not in validation]
    assert left
    assert all(rows[early][2] < rows[late][2] for early in left for late in validation.tolist())


def test_a_share_of_the_rows_by_time():
    rows = interactions([(n % 3, n, 100 - n) for n in range(20)])
    moment = split_time(GlobalTime(method="global-time", fraction=Decimal("0.1")), rows)
    test, validation = held_out_from(moment, rows)
    assert sorted(rows.timestamps[test].tolist()) == [99, 100]
    assert sorted(rows.timestamps[validation].tolist()) == [97, 98]


def test_a_date_in_a_spec_file():
    text = """
name = "dated"
dataset = {source = "file", path = "x.csv"}
split = {method = "global-time", at = 2020-01-02}
negatives = {method = "uniform"}
"""
    split = parse_spec(text, "here").split
    assert split.at == datetime(2020, 1, 2)
    with pytest.raises(RecbenchError, match="either at or fraction"):
        parse_spec(text.replace("at = 2020-01-02", "at = 3, fraction = 0.1"), "here")


def test_no_times():
    rows = interactions(ROWS)
    with pytest.raises(RecbenchError, match="no timestamps") as caught:
        split_time(at(3), Interactions(Rows(rows.users, rows.items), rows.user_ids, rows.item_ids))
    # The split has no order, so --order is no way out.
    assert "order" not in caught.value.hint
    assert 'split.method = "leave-one-out"' in caught.value.hint
