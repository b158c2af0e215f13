"""Times in a column whose type is one for dates or times, as Parquet files and DataFrames have them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recbench.data.times import Times, Unit
from recbench.protocol import Int64Array

if TYPE_CHECKING:
    import pyarrow as pa

Bools = npt.NDArray[np.bool_]
Refuse = Callable[[Bools, str], None]
"""Refuses the marked rows (bool[rows]); the text says what a valid value is."""

SINCE_1970 = "a time from 1970 on"
MICROSECONDS_IN = {"date32[day]": 86_400 * 10**6, "date64[ms]": 10**3, "s": 10**6, "ms": 10**3, "us": 1}
"""Microseconds in the unit of a type for times; by the name of a type for dates, or by the unit of timestamps."""
NANOSECONDS_IN_ONE = 1000
"""In a microsecond."""
LARGEST = np.iinfo(np.int64).max
STORED = "a time that a 64-bit number of microseconds can hold"
TYPED = "dates"
"""The form of such a column."""


def is_typed(kind: "pa.DataType") -> bool:
    """Whether a type holds dates, or dates with a time."""
    import pyarrow as pa

    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def read_typed(chunks: "Sequence[Any]", refuse: Refuse) -> Times:
    """Reads a column of such a type; the values of refused rows are undefined.

    Args:
        chunks: The parts of the column, arrays of Arrow without missing values.
        refuse: Called with the rows that cannot be read.
    """
    import pyarrow as pa

    counted = [_counts(chunk) for chunk in chunks]
    parts = [_microseconds(numbers, chunk.type) for numbers, chunk in zip(counted, chunks, strict=True)]
    microseconds = np.concatenate([part for part, _ in parts])
    refuse(~np.concatenate([stored for _, stored in parts]), STORED)
    negative = microseconds < 0
    refuse(negative, SINCE_1970)
    if all(pa.types.is_timestamp(chunk.type) and chunk.type.unit == "ns" for chunk in chunks):
        exact = np.where(negative, 0, np.concatenate(counted))
        # Some are finer than microseconds. Rounding them would change the order of rows.
        if (exact % NANOSECONDS_IN_ONE).any():
            return Times(exact, Unit.NANOSECONDS, TYPED)
    # A row that is refused must not decide the unit of the others.
    return Times.of_dates(np.where(negative, 0, microseconds), TYPED)


def _counts(chunk: "pa.Array") -> Int64Array:
    """Returns int64[rows], the numbers that stand for dates or times."""
    import pyarrow as pa

    stored = chunk.cast(pa.int32()) if pa.types.is_date32(chunk.type) else chunk
    numbers: Int64Array = stored.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _microseconds(numbers: Int64Array, kind: "pa.DataType") -> tuple[Int64Array, Bools]:
    """Returns int64[rows], microseconds since 1970, 0 where 64 bits do not hold them; and bool[rows], where they do.

    Args:
        numbers: int64[rows], the numbers that stand for dates or times.
        kind: The type of the column.
    """
    unit = getattr(kind, "unit", str(kind))
    if unit == "ns":
        return numbers // NANOSECONDS_IN_ONE, np.ones(len(numbers), dtype=np.bool_)
    factor = MICROSECONDS_IN[unit]
    # An absolute value would be wrong for the smallest number.
    stored = (numbers <= LARGEST // factor) & (numbers >= -(LARGEST // factor))
    return np.where(stored, numbers, 0) * factor, stored
