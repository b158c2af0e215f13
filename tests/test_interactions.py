import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions, dense_codes, first_of_each_pair


@given(st.lists(st.text()))
def test_ids_come_back_as_they_went_in(ids):
    encodable = [text for text in ids if text.isprintable() or text.isascii()]
    table = IdTable.from_strings(encodable)
    assert list(table) == encodable
    assert [table[i] for i in range(len(table))] == encodable
    backwards = np.arange(len(encodable))[::-1]
    assert list(table.take(backwards)) == encodable[::-1]


@given(st.lists(st.integers(0, 9)))
def test_codes_count_values_by_their_first_occurrence(values):
    codes, order = dense_codes(np.array(values, dtype=np.int32))
    assert order.tolist() == list(dict.fromkeys(values))
    assert order[codes].tolist() == values


def test_numbers_tell_nothing_of_the_order_of_rows():
    def numbered(rows):
        users, user_ids = dense_codes(np.array([user for user, _ in rows]))
        items, item_ids = dense_codes(np.array([item for _, item in rows]))
        ids = (IdTable.from_strings(user_ids.tolist()), IdTable.from_strings(item_ids.tolist()))
        return Interactions(users, items, None, None, *ids).numbered_by_hash()

    rows = [(f"u{n % 7}", f"i{n}") for n in range(40)]
    one, other = numbered(rows), numbered(rows[::-1])
    assert list(one.item_ids) == list(other.item_ids)
    assert one.items.tolist() == other.items.tolist()[::-1]
    pairs = [(one.user_ids[u], one.item_ids[i]) for u, i in zip(one.users.tolist(), one.items.tolist(), strict=True)]
    assert pairs == rows
    assert list(one.item_ids) != [item for _, item in rows]


def test_the_first_row_of_each_pair_is_marked():
    users, items = np.array([0, 1, 0, 0], dtype=np.int32), np.array([2, 2, 2, 1], dtype=np.int32)
    assert first_of_each_pair(users, items, 3).tolist() == [True, True, False, True]
