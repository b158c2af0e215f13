"""Rows that repeat a pair: the rule of the spec merges them, and counts reach the models as ratings."""

import numpy as np
import pandas as pd
import pytest

from recbench.errors import RecbenchError
from recbench.tasks.make import make_task
from recbench.tasks.spec import Filters

COLUMNS = ["user", "item", "rating", "timestamp"]
START = 1_400_000_000
PLAYS = pd.DataFrame(
    [
        ("u", "a", 1, 10), ("u", "b", 2, 20), ("u", "a", 4, 50), ("u", "c", 1, 30), ("u", "a", 2, 40),
        ("v", "b", 1, 10), ("v", "c", 3, 20), ("v", "d", 1, 30), ("v", "d", 1, 60), ("v", "e", 5, 50),
    ],
    columns=COLUMNS,
)  # fmt: skip
PLAYS["timestamp"] += START


def plays(repeated, frame=PLAYS, **filters):
    """Returns {(user, item): (rating, time)} of all rows, and the held-out pairs."""
    task = make_task(frame, negatives=1, filters={"repeated": repeated, **filters})
    train = {
        (row.user, row.item): (float(getattr(row, "rating", 1)), row.timestamp - START)
        for row in task.train_frame().itertuples()
    }
    cases = {(row.user, row.item): row.timestamp - START for row in task.cases_frame().itertuples()}
    return task, train, cases


def test_each_rule_keeps_one_row_of_a_pair():
    task, train, cases = plays("first")
    assert (train[("u", "a")], cases) == ((1, 10), {("u", "c"): 30, ("v", "e"): 50})
    assert task.digest == make_task(PLAYS, negatives=1).digest
    task, train, cases = plays("last")
    assert cases == {("u", "a"): 50, ("v", "d"): 60}
    for rule, rating in (("count", {"b": 1, "c": 1}), ("sum", {"b": 2, "c": 1})):
        task, train, cases = plays(rule)
        # A row that stands for several has the latest of their times.
        assert cases == {("u", "a"): 50, ("v", "d"): 60}
        assert {item: value for (user, item), (value, _) in train.items() if user == "u"} == rating
        assert task.n_duplicates == 3
        assert len({task.digest, make_task(PLAYS, negatives=1).digest}) == 2


def test_counts_are_the_ratings_of_the_train_set_and_count_rows_of_the_period_only():
    without = PLAYS.drop(columns="rating")
    task, _, _ = plays("count", without, until=START + 50)
    train = task.train_set()
    of_items = dict(zip(np.array(train.item_ids)[train.items], train.ratings.tolist(), strict=True))
    assert of_items == {"b": 1, "c": 1}
    assert task.train_set_for_validation().ratings is not None
    later = pd.DataFrame([("u", "z", START + 70), ("v", "z", START + 70)], columns=without.columns)
    _, train, _ = plays("count", pd.concat([without, later]))
    assert (train[("u", "a")], train[("v", "d")]) == ((3, 50), (2, 60))
    _, train, _ = plays("count", pd.concat([without, later]), weights="log")
    assert train[("u", "a")] == (2, 50)


def test_the_first_row_of_a_pair_is_the_first_in_the_window(caplog):
    for lines in (PLAYS, PLAYS[::-1]):
        task, train, cases = plays("first", lines, since=START + 20)
        assert cases == {("u", "a"): 40, ("v", "e"): 50}
        assert train == {("u", "b"): (2, 20), ("u", "c"): (1, 30), ("v", "c"): (3, 20), ("v", "d"): (1, 30)}
        assert task.n_duplicates == 2
        assert "2 rows repeat an earlier (user, item) pair; the first is kept (in time)" in caplog.text
    # The end of the window changes nothing about which row is the first.
    _, train, cases = plays("first", until=START + 60)
    assert (train, cases) == plays("first")[1:]


def test_sums_need_ratings_that_can_be_added():
    with pytest.raises(RecbenchError, match="the data has no ratings") as caught:
        plays("sum", PLAYS.drop(columns="rating"))
    assert 'filters.repeated = "count"' in caught.value.hint
    with pytest.raises(RecbenchError, match="add up to more"):
        plays("sum", PLAYS.assign(rating=3e38))


def test_the_order_of_a_file_without_times_stays():
    frame = PLAYS.drop(columns="timestamp")
    task = make_task(frame, negatives=1, filters={"repeated": "count"})
    assert sorted(task.cases_frame()["item"]) == ["a", "e"]
    assert task.train_frame()["item"].tolist() == ["b", "c", "b", "c", "d"]
    assert '"repeated"' not in make_task(frame, negatives=1).spec.rules()
    assert not Filters().keeps_repeated
