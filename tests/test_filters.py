from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.tasks.filters import apply_filters
from recbench.tasks.make import make_task
from recbench.tasks.spec import Filters, Weights


def interactions(rows, ratings=None):
    users, user_ids = pd.factorize(np.array([user for user, _ in rows], dtype=object))
    items, item_ids = pd.factorize(np.array([item for _, item in rows], dtype=object))
    return Interactions(
        Rows(users, items, None if ratings is None else np.array(ratings, dtype=np.float32)),
        IdTable.from_strings(map(str, user_ids.tolist())),
        IdTable.from_strings(map(str, item_ids.tolist())),
    )


def pairs(of: Interactions):
    users, items = list(of.user_ids), list(of.item_ids)
    return [(users[u], items[i]) for u, i in zip(of.users.tolist(), of.items.tolist(), strict=True)]


ROWS = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "y"), ("c", "z"), ("d", "z")]


def test_the_k_core_is_taken_until_nothing_changes():
    # d falls for having one row, then z for having one, then c for having one.
    kept = apply_filters(interactions(ROWS), Filters(k_core=2))
    assert pairs(kept) == ROWS[:4]
    assert kept.n_users == 2
    assert kept.n_items == 2


def test_filters_work_in_their_order():
    # Were low ratings dropped after the core was taken, b and x would be left with one row.
    rows = [*ROWS[:4], ("b", "w"), ("a", "w")]
    kept = apply_filters(interactions(rows, [5, 5, 1, 5, 5, 5]), Filters(min_rating=2, k_core=2))
    assert pairs(kept) == [("a", "y"), ("b", "y"), ("b", "w"), ("a", "w")]


def test_dropped_items_and_low_ratings_go():
    assert pairs(apply_filters(interactions(ROWS), Filters(drop_items=("y", "z")))) == [("a", "x"), ("b", "x")]
    low = apply_filters(interactions(ROWS, [1, 2, 3, 4, 5, 3, 3]), Filters(min_rating=4))
    assert pairs(low) == [("b", "y"), ("c", "y")]
    assert low.ratings.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (Filters(k_core=9), "No row is left after 9-core"),
        (Filters(drop_items=("x", "y", "z")), "No row is left after dropping items"),
        (Filters(drop_items=("nope",)), "does not have: nope"),
        (Filters(min_rating=3), "has no ratings"),
    ],
)
def test_filters_that_cannot_be_applied(filters, message):
    with pytest.raises(RecbenchError, match=message):
        apply_filters(interactions(ROWS), filters)


def test_a_window_of_time_in_the_data_s_unit_or_in_dates():
    days = [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    rows = [("u", f"i{n}") for n in range(4)]
    for per_second in (1, 1000, 10**9):
        times = np.array([int(day.timestamp()) * per_second for day in days])
        timed = interactions(rows)
        timed = replace(timed, rows=replace(timed.rows, timestamps=times))
        kept = apply_filters(timed, Filters(since=datetime(2020, 1, 2), until="2020-01-04"))
        assert kept.timestamps.tolist() == times[1:3].tolist()
        assert apply_filters(timed, Filters(since=int(times[3]))).timestamps.tolist() == [times[3]]
    with pytest.raises(RecbenchError, match="no timestamps"):
        apply_filters(interactions(rows), Filters(since=3))
    with pytest.raises(RecbenchError, match="an order and no dates"):
        apply_filters(replace(timed, rows=replace(timed.rows, timestamps=np.arange(4))), Filters(since=days[0]))


def test_sampled_users_do_not_depend_on_the_order_of_the_file():
    rows = [(f"u{n}", f"i{n % 7}") for n in range(50)]
    sample, other = (apply_filters(interactions(r), Filters(sample_users=20)) for r in (rows, rows[::-1]))
    assert set(sample.user_ids) == set(other.user_ids)
    assert sample.n_users == 20
    again = apply_filters(interactions(rows), Filters(sample_users=20, sample_seed=1))
    assert set(again.user_ids) != set(sample.user_ids)
    with pytest.raises(RecbenchError, match="only 50 users are left"):
        apply_filters(interactions(rows), Filters(sample_users=51))


def test_weights():
    rows, ratings = [("u", "a"), ("u", "b"), ("v", "a")], [0, 1, 1023]
    assert apply_filters(interactions(rows, ratings), Filters(weights=Weights.LOG)).ratings.tolist() == [0, 1, 10]
    assert apply_filters(interactions(rows, ratings), Filters(weights=Weights.NONE)).ratings is None
    with pytest.raises(RecbenchError, match="no ratings"):
        apply_filters(interactions(rows), Filters(weights=Weights.LOG))
    with pytest.raises(RecbenchError, match="negative ratings"):
        apply_filters(interactions(rows, [-1, 1, 1]), Filters(weights=Weights.LOG))


def with_a_user_of_all_items():
    """Returns rows of 50 users, and of one who leaves no item to be a negative."""
    numbers = np.random.default_rng(1).choice(50 * 60, 900, replace=False)
    rows = pd.DataFrame({"user": numbers // 60, "item": numbers % 60, "timestamp": 10**9 + np.arange(900)})
    return pd.concat([rows, pd.DataFrame({"user": 999, "item": range(60), "timestamp": 15 * 10**8 + np.arange(60)})])


@pytest.mark.parametrize("split", ["leave-one-out", {"method": "global-time", "fraction": 0.1, "unknown": "keep"}])
def test_the_k_core_holds_without_the_users_who_are_left_out(split):
    frame = with_a_user_of_all_items()
    task = make_task(frame, filters={"k_core": 12}, negatives=10, split=split)
    rows = pd.concat([task.train_frame(), task.cases_frame()])
    assert "999" not in set(task.user_ids)
    assert rows["item"].value_counts().min() >= 12
    assert rows["user"].value_counts().min() >= 12
    # Nothing else is lost: it is the core of the rows of the others.
    alone = apply_filters(interactions(list(frame[frame["user"] != 999][["user", "item"]].itertuples(index=False))),
                          Filters(k_core=12))  # fmt: skip
    assert len(rows) == len(alone)


def test_users_of_a_sample_who_are_left_out_are_not_replaced(caplog):
    task = make_task(with_a_user_of_all_items(), filters={"sample_users": 51}, negatives=10)
    assert task.n_users == 50
    assert "sample_users is 51, and 50 users are left: no others are drawn" in caplog.text
