from decimal import Decimal
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.tasks.spec import LeaveLastFraction, LeaveLastN, LeaveOneOut, Order, PublishedSplit, RandomFraction
from recbench.tasks.splits import held_out_rows, held_out_twice


def users_of(*values):
    return np.array(values, dtype=np.int32)


def held_rows(split, n_users, users, times):
    return held_out_rows(split, n_users, Rows(users, users, timestamps=times))


def held_twice(split, n_users, users, times):
    return held_out_twice(split, n_users, Rows(users, users, timestamps=times))


def last_fraction(text, order=Order.FILE):
    return LeaveLastFraction(method="leave-last-fraction", fraction=Decimal(text), order=order)


def one_out(order):
    return LeaveOneOut(method="leave-one-out", order=order)


def test_the_last_row_in_file_order():
    users = users_of(1, 0, 1, 0, 1)
    assert held_rows(one_out(Order.FILE), 2, users, None).tolist() == [3, 4]


def test_the_latest_row_and_file_order_breaks_ties():
    users = users_of(0, 0, 0, 1, 1)
    times = np.array([5, 9, 9, 7, 2])
    assert held_rows(one_out(Order.TIMESTAMP), 2, users, times).tolist() == [2, 3]


def test_a_user_with_one_row_keeps_it():
    users = users_of(0, 1, 1)
    for split in (one_out(Order.FILE), last_fraction("0.5")):
        assert held_rows(split, 2, users, None).tolist() == [2]


@pytest.mark.parametrize(("rows", "held"), [(1, 0), (2, 1), (9, 1), (10, 1), (11, 2), (30, 3), (70, 7), (1000, 100)])
def test_a_tenth_is_rounded_up_exactly(rows, held):
    # As floats, 0.1 * 3 and the like come out above the whole number.
    assert len(held_rows(last_fraction("0.1"), 1, users_of(*[0] * rows), None)) == held


def test_no_timestamps_to_order_by():
    with pytest.raises(RecbenchError, match="no timestamps"):
        held_rows(one_out(Order.TIMESTAMP), 1, users_of(0, 0), None)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1),
    st.sampled_from(["0.1", "0.25", "0.5", "0.99"]),
    st.sampled_from([Order.FILE, Order.TIMESTAMP]),
)
def test_against_a_plain_loop(rows, fraction, order):
    users, times = users_of(*[u for u, _ in rows]), np.array([t for _, t in rows])
    expected = []
    for user in range(5):
        own = [row for row in range(len(rows)) if users[row] == user]
        if order is Order.TIMESTAMP:
            own.sort(key=lambda row: times[row])
        n_held = ceil(Decimal(fraction) * len(own))
        expected += own[len(own) - n_held :] if n_held < len(own) else []
    assert held_rows(last_fraction(fraction, order), 5, users, times).tolist() == expected


def test_the_last_n_rows_and_of_short_users_all_but_one():
    users = users_of(*[0] * 5, *[1] * 2, 2)
    last_two = LeaveLastN(method="leave-last-n", n=2, order=Order.FILE)
    assert held_rows(last_two, 3, users, None).tolist() == [3, 4, 6]


def test_random_rows_are_a_share_of_each_user_and_follow_the_seed():
    users = users_of(*np.repeat(np.arange(200), 10))
    held_out, same_seed, other_seed = (
        held_rows(RandomFraction(method="random-fraction", fraction=Decimal("0.25"), seed=seed), 200, users, None)
        for seed in (1, 1, 2)
    )
    assert held_out.tolist() == same_seed.tolist()
    assert held_out.tolist() != other_seed.tolist()
    assert np.bincount(users[held_out]).tolist() == [3] * 200
    # Every place within a user is as likely: 600 of 2,000 rows, 60 expected in each of ten.
    assert (np.abs(np.bincount(held_out % 10, minlength=10) - 60) < 35).all()


def test_validation_of_a_published_split_is_the_last_row_by_time_or_any_row():
    users, published = users_of(*np.repeat(np.arange(1000), 10)), PublishedSplit(method="published")
    times = np.tile(np.arange(10)[::-1], 1000)
    assert (held_rows(published, 1000, users, times) % 10 == 0).all()
    drawn = held_rows(published, 1000, users, None)
    assert users[drawn].tolist() == list(range(1000))
    # Every place is as likely: 100 expected of each, standard deviation 9.5.
    assert (np.abs(np.bincount(drawn % 10, minlength=10) - 100) < 48).all()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1),
    st.sampled_from([last_fraction("0.3", Order.TIMESTAMP), one_out(Order.TIMESTAMP), one_out(Order.FILE)]),
)
def test_validation_is_what_the_rule_holds_out_of_what_is_left(rows, split):
    users, times = users_of(*[u for u, _ in rows]), np.array([t for _, t in rows])
    test, validation = held_twice(split, 4, users, times)
    left = np.setdiff1d(np.arange(len(rows)), test)
    assert test.tolist() == held_rows(split, 4, users, times).tolist()
    assert validation.tolist() == left[held_rows(split, 4, users[left], times[left])].tolist()
