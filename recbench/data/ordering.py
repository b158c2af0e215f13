"""Orders of whole numbers, and numbers for what stands in them: exact, and linear in time and memory or nearly so.

numpy's stable sort of 25 million 64-bit numbers takes five times as long as its plain sort of the numbers alone, which
uses the processor's vector instructions. A number and its row packed into one 64-bit number make the plain sort stable.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int32Array, Int64Array

INT64_BITS = 63
ROWS_AT_ONCE = 2**20
"""Rows that are looked at together: bounds the memory, and lets a search end early."""


def stable_order(values: npt.NDArray[np.integer[Any]]) -> Int64Array:
    """Returns int64[n], the rows in ascending order of ``values``; equal ones in the order of their rows."""
    if ascend(values):
        return np.arange(len(values), dtype=np.int64)
    lowest = int(values.min())
    row_bits = (len(values) - 1).bit_length()
    if (int(values.max()) - lowest).bit_length() + row_bits > INT64_BITS:
        return np.argsort(values, kind="stable")
    packed = values.astype(np.int64)
    packed -= lowest
    packed <<= row_bits
    packed |= np.arange(len(values), dtype=np.int64)
    packed.sort()
    packed &= (1 << row_bits) - 1
    return packed


def order_by(first: npt.NDArray[np.integer[Any]], second: npt.NDArray[np.integer[Any]]) -> Int64Array:
    """Returns int64[n], the rows in ascending order of ``first``, then of ``second``, then of the row."""
    if ascend(second):
        return stable_order(first)
    by_second = stable_order(second)
    return by_second[stable_order(first[by_second])]


def ascend(values: npt.NDArray[np.integer[Any]]) -> bool:
    """Whether no value is below the one before it, as in a file in the order of time."""
    blocks = (values[start : start + ROWS_AT_ONCE + 1] for start in range(0, len(values), ROWS_AT_ONCE))
    return all((block[1:] >= block[:-1]).all() for block in blocks)


def count_distinct(codes: npt.NDArray[np.integer[Any]], n_codes: int) -> int:
    """Returns how many of the numbers from 0 to ``n_codes`` - 1 occur in ``codes``."""
    there = np.zeros(n_codes, dtype=np.bool_)
    for start in range(0, len(codes), ROWS_AT_ONCE):
        there[codes[start : start + ROWS_AT_ONCE]] = True
    return int(there.sum())


def dense_codes(codes: npt.NDArray[Any]) -> tuple[Int32Array, npt.NDArray[Any]]:
    """Numbers the distinct values of ``codes`` in the order of their first occurrence.

    Args:
        codes: integer[rows], from 0 up; memory grows with the highest.

    Returns:
        int32[rows] with the new numbers, and the old value of each new number.
    """
    first = np.full(int(codes.max()) + 1 if len(codes) else 0, len(codes), dtype=np.int64)
    np.minimum.at(first, codes, np.arange(len(codes), dtype=np.int64))
    values = np.flatnonzero(first < len(codes))
    old = values[np.argsort(first[values])]
    new = np.empty(len(first), dtype=np.int32)
    new[old] = np.arange(len(old), dtype=np.int32)
    return new[codes], old


def first_of_each(keys: Int64Array) -> npt.NDArray[np.bool_]:
    """Marks (bool[rows]) the first row of each distinct key; fast where few repeat."""
    keep = np.ones(len(keys), dtype=np.bool_)
    rows = rows_of_repeated(keys)
    if len(rows):
        keep[rows] = False
        _, first = np.unique(keys[rows], return_index=True)
        keep[rows[first]] = True
    return keep


def rows_of_repeated(keys: Int64Array) -> Int64Array:
    """Returns int64[n], in ascending order, the rows whose key occurs more than once."""
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    if not len(repeated):
        return np.empty(0, dtype=np.int64)
    at = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    return np.flatnonzero(repeated[at] == keys)


def pair_keys(users: Int32Array, items: Int32Array, n_items: int) -> Int64Array:
    """Returns int64[rows], a number for each (user, item) pair: user * n_items + item."""
    keys = users.astype(np.int64)
    keys *= n_items
    keys += items
    return keys
