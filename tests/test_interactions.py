import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions
from recbench.data.rows import Rows


@given(st.lists(st.text()))
def test_ids_come_back_as_they_went_in(ids):
    encodable = [text for text in ids if text.isprintable() or text.isascii()]
    table = IdTable.from_strings(encodable)
    assert list(table) == encodable
    assert [table[i] for i in range(len(table))] == encodable
    backwards = np.arange(len(encodable))[::-1]
    assert list(table.take(backwards)) == encodable[::-1]


def test_numbers_tell_nothing_of_the_order_of_rows():
    def numbered(rows):
        users, user_ids = pd.factorize(np.array([user for user, _ in rows], dtype=object))
        items, item_ids = pd.factorize(np.array([item for _, item in rows], dtype=object))
        ids = (IdTable.from_strings(user_ids), IdTable.from_strings(item_ids))
        return Interactions(Rows(users.astype(np.int32), items.astype(np.int32)), *ids).numbered_by_hash()

    rows = [(f"u{n % 7}", f"i{n}") for n in range(40)]
    interactions, other = numbered(rows), numbered(rows[::-1])
    assert list(interactions.item_ids) == list(other.item_ids)
    assert interactions.items.tolist() == other.items.tolist()[::-1]
    pairs = [
        (interactions.user_ids[u], interactions.item_ids[i])
        for u, i in zip(interactions.users.tolist(), interactions.items.tolist(), strict=True)
    ]
    assert pairs == rows
    assert list(interactions.item_ids) != [item for _, item in rows]
