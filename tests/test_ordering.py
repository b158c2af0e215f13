import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.ordering import dense_codes, first_of_each, order_by, pair_keys, stable_order

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


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**62))))
def test_order_by_two_columns(rows):
    first, second = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
    assert order_by(first.astype(np.int32), second).tolist() == sorted(range(len(rows)), key=rows.__getitem__)


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
