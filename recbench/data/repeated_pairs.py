"""Rows that repeat a (user, item) pair, in an order that does not depend on the order of lines if there are times."""

import numpy as np
import numpy.typing as npt

from recbench.data.ordering import order_by, pair_keys, rows_of_repeated, stable_order
from recbench.data.rows import Rows
from recbench.protocol import Float32Array, Int64Array


def pairs_in_order(rows: Rows, n_items: int) -> Int64Array:
    """Returns int64[rows], the rows by pair; those of one pair by time and then by rating.

    Without times, the rows of one pair keep their order.
    """
    keys = pair_keys(rows.users, rows.items, n_items)
    if rows.timestamps is None:
        return stable_order(keys)
    if rows.ratings is None:
        return order_by(keys, rows.timestamps)
    by_rating = stable_order(_as_integers(rows.ratings))
    return by_rating[order_by(keys[by_rating], rows.timestamps[by_rating])]


def _as_integers(numbers: Float32Array) -> npt.NDArray[np.int32]:
    """Returns whole numbers in the same order as the floats: whole numbers sort faster."""
    bits = np.ascontiguousarray(numbers, dtype=np.float32).view(np.int32)
    return np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)


def first_of_pairs(rows: Rows, n_items: int) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the first row of each pair in ``pairs_in_order``; fast where few rows repeat a pair."""
    keep = np.ones(len(rows), dtype=np.bool_)
    repeating = rows_of_repeated(pair_keys(rows.users, rows.items, n_items))
    if len(repeating):
        some = rows.take(repeating)
        order = pairs_in_order(some, n_items)
        keys = pair_keys(some.users, some.items, n_items)[order]
        later = np.flatnonzero(keys[1:] == keys[:-1]) + 1
        keep[repeating[order[later]]] = False
    return keep


def repeats_text(count: int, *, has_times: bool) -> str:
    """Returns what a log says of rows that are left out because they repeat a pair."""
    order = "in time" if has_times else "in the order of the file"
    return f"{count:,} rows repeat an earlier (user, item) pair; the first is kept ({order})."
