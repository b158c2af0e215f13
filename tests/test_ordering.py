import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.ordering import ascend, count_distinct, dense_codes, first_of_each, order_by, pair_keys, stable_order

NUMBERS = st.one_of(
    st.lists(st.integers(0, 9)),
    st.lists(st.integers(-(2**40), 2**40)),
    st.lists(st.integers(-(2**63), 2**63 - 1)),
)


@given(NUMBERS)
def test_equal_numbers_keep_the_order_of_their_rows(values):
    array = np.array(values, dtype=np.int64)
    assert stable_order(array).tolist() == sorted(range(len(values)), key=values.__getitem__)
    assert array.tolist() == values


@given(NUMBERS, st.booleans())
def test_numbers_ascend_or_do_not(values, ordered):
    values = sorted(values) if ordered else values
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recbench.data.ordering.ROWS_AT_ONCE", 2)
        assert ascend(np.array(values, dtype=np.int64)) == (values == sorted(values))


@given(st.lists(st.integers(0, 6)))
def test_distinct_numbers_are_counted(values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recbench.data.ordering.ROWS_AT_ONCE", 2)
        assert count_distinct(np.array(values, dtype=np.int32), 7) == len(set(values))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**62))))
def test_order_by_two_columns(rows):
    for given_rows in (rows, sorted(rows, key=lambda row: row[1])):
        first, second = (np.array([row[n] for row in given_rows], dtype=np.int64) for n in (0, 1))
        order = order_by(first.astype(np.int32), second).tolist()
        assert order == sorted(range(len(rows)), key=given_rows.__getitem__)


@given(st.lists(st.integers(0, 9)))
def test_codes_count_values_by_their_first_occurrence(values):
    codes, order = dense_codes(np.array(values, dtype=np.int32))
    assert order.tolist() == list(dict.fromkeys(values))
    assert order[codes].tolist() == values
    assert codes.dtype == np.int32


@given(st.lists(st.integers(0, 6)))
def test_the_first_row_of_each_key_is_marked(keys):
    marked = np.flatnonzero(first_of_each(np.array(keys, dtype=np.int64)))
    assert marked.tolist() == [row for row, key in enumerate(keys) if key not in keys[:row]]


@pytest.mark.parametrize("n_items", [3, 2**31 - 1])
def test_pairs_have_keys_of_their_own(n_items):
    users, items = np.array([0, 1, 2**31 - 2], dtype=np.int32), np.array([2, 0, 1], dtype=np.int32)
    assert pair_keys(users, items, n_items).tolist() == [2, n_items, (2**31 - 2) * n_items + 1]
