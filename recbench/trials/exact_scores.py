"""Whole numbers that double precision cannot tell apart, as scores: their ranks take their place."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Float64Array = npt.NDArray[np.float64]

EXACT_UP_TO = 2.0**53
"""Double precision holds every whole number up to here; the next one is rounded to this value."""


def large_numbers(column: "pa.Array", values: Float64Array) -> npt.NDArray[Any]:
    """Returns the exact numbers of the rows whose value is ``EXACT_UP_TO`` or more, in order.

    Args:
        column: Numbers, or their texts. A text with a point or an exponent counts as the double that it is read as.
        values: float64[rows], the numbers of the column, rounded.

    Returns:
        Numbers that compare exactly: float64, int64, or objects of Python.
    """
    import pyarrow as pa

    is_large = np.abs(values) >= EXACT_UP_TO
    rounded = values[is_large]
    if not len(rounded) or pa.types.is_floating(column.type):
        return rounded
    numbers = column.filter(pa.array(is_large))
    try:
        return np.asarray(numbers.cast(pa.int64()).to_numpy(zero_copy_only=False))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pairs = zip(numbers.to_pylist(), rounded.tolist(), strict=True)
        return np.array([_exact(number, value) for number, value in pairs], dtype=object)


def told_apart(values: Float64Array, large: Sequence[npt.NDArray[Any]]) -> Float64Array:
    """Returns the values; or their ranks, if different numbers were rounded to the same value.

    A ranking needs only the order of scores. Rounding never inverts the order of two numbers. So the order of all is
    that of the rounded values, and among equal values that of the exact numbers.

    Args:
        values: float64[rows], rounded.
        large: The answers of ``large_numbers`` for consecutive parts of the rows.
    """
    parts = [part for part in large if len(part)]
    if not parts:
        return values
    if len({part.dtype for part in parts}) > 1:
        # numpy would round integers beside floats; objects of Python compare exactly.
        parts = [part.astype(object) for part in parts]
    numbers = np.concatenate(parts)
    is_large = np.abs(values) >= EXACT_UP_TO
    rounded = numbers.astype(np.float64)
    distinct, order_of_numbers = np.unique(numbers, return_inverse=True)
    if len(distinct) == len(np.unique(rounded)):
        return values
    # Not every reader of text rounds to the nearest double.
    values = values.copy()
    values[is_large] = rounded
    among_equal = np.zeros(len(values), dtype=np.int64)
    among_equal[is_large] = order_of_numbers
    return dense_ranks(values, among_equal)


def dense_ranks(values: Float64Array, among_equal: npt.NDArray[np.int64] | None = None) -> Float64Array:
    """Returns the position of each row among the distinct rows in ascending order, from 0.

    Args:
        values: float64[rows].
        among_equal: int64[rows], the order of rows with the same value; None if these are the same.
    """
    keys = (values,) if among_equal is None else (among_equal, values)
    order = np.lexsort(keys)
    is_higher = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    ranks = np.empty(len(values))
    ranks[order] = np.concatenate([[0], np.cumsum(is_higher)])
    return ranks


def _exact(number: Any, value: float) -> int | Decimal:
    if isinstance(number, int | Decimal):
        return number
    try:
        return int(number)
    except ValueError:
        return int(value)
