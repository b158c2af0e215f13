"""Times as files store them: whole numbers of some unit since 1970, or ISO 8601 text."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from recbench.errors import RecbenchError
from recbench.protocol import Int64Array

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

NOT_WHOLE = "a whole number that a 64-bit integer can hold"
MICROSECONDS = 1_000_000
"""In a second."""


class Unit(StrEnum):
    """What a time counts since 1970; ``ORDER`` if it is too small for a date and only gives an order."""

    ORDER = "order"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    NANOSECONDS = "nanoseconds"


PER_SECOND = {
    Unit.SECONDS: 1,
    Unit.MILLISECONDS: 10**3,
    Unit.MICROSECONDS: 10**6,
    Unit.NANOSECONDS: 10**9,
}
FIRST_YEAR = 31_536_000
"""1971 in seconds: a smaller number is not the time of an interaction."""


def unit_of(timestamps: Int64Array) -> Unit:
    """Returns the unit, by the size of the latest time: 1971 to 5138 as seconds, and so on with three digits more."""
    latest = int(timestamps.max())
    if latest < FIRST_YEAR:
        return Unit.ORDER
    return next((unit for unit, per_second in PER_SECOND.items() if latest < 10**11 * per_second), Unit.NANOSECONDS)


@dataclass(frozen=True, slots=True)
class Times:
    """Times as they were read.

    Attributes:
        values: int64[rows]; microseconds where ``iso``, else as in the file.
        iso: Whether the file has them as text, or as a type for times.
    """

    values: Int64Array
    iso: bool

    def select(self, keep: npt.NDArray[np.bool_]) -> "Times":
        """Returns the times marked in ``keep``."""
        return Times(self.values[keep], self.iso)

    @classmethod
    def joined(cls, source: Path | str, parts: Sequence[Self]) -> Self | None:
        """Joins the times of all batches; times that were text become whole seconds where that loses nothing.

        Raises:
            RecbenchError: Some batches have dates and others numbers.
        """
        if not parts:
            return None
        values = np.concatenate([part.values for part in parts])
        iso = any(part.iso for part in parts)
        if not all(part.iso == iso for part in parts if len(part.values)):
            raise RecbenchError(
                f"{source} has times that are dates in some rows and numbers in others.",
                "Convert all of them to one form.",
            )
        if iso and not (values % MICROSECONDS).any():
            values = values // MICROSECONDS
        return cls(values, iso)

    def log_unit(self, name: str) -> None:
        """Logs how the times of the file ``name`` are interpreted, unless they are plain seconds."""
        unit = unit_of(self.values)
        if self.iso:
            log.info("Times of %s are dates; they are kept as %s since 1970, UTC.", name, unit)
        elif unit is Unit.ORDER:
            log.info("Times of %s are too small for dates since 1970; they only give an order.", name)
        elif unit is not Unit.SECONDS:
            log.info("Times of %s are %s since 1970.", name, unit)


Refuse = Callable[[npt.NDArray[np.bool_]], None]


def read_times(column: "pa.Array", good: npt.NDArray[np.bool_], refuse: Callable[[str], Refuse]) -> Times:
    """Reads a column of times; whole numbers exactly, for as floats nanoseconds would lose their order.

    Args:
        column: Whole numbers, floats, times, dates, or the text of any of these.
        good: bool[rows], the rows to read.
        refuse: Given a description of a valid value, returns a function that refuses the marked rows.

    Returns:
        The times of all rows; values of refused rows are undefined.
    """
    import pyarrow as pa

    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        values = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).fill_null(0).to_numpy()
        # Finer than microseconds: as they are, so that their order stays.
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            exact = column.cast(pa.int64()).fill_null(0).to_numpy()
            if (exact % 1000).any():
                return _checked(Times(exact, iso=False), refuse)
        return _checked(Times(values, iso=True), refuse)
    try:
        whole = column if good.all() else _only(column, good)
        return _checked(Times(whole.cast(pa.int64()).to_numpy(zero_copy_only=False), iso=False), refuse)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _checked(_from_text(column, good, refuse), refuse)


def _checked(times: Times, refuse: Callable[[str], Refuse]) -> Times:
    refuse("a time from 1970 on" if times.iso else "a number that is not negative")(times.values < 0)
    return times


def _only(column: "pa.Array", good: npt.NDArray[np.bool_]) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute

    zero = pa.scalar("0" if pa.types.is_string(column.type) else 0, column.type)
    return pa.compute.if_else(pa.array(good), column, zero)


def _from_text(column: "pa.Array", good: npt.NDArray[np.bool_], refuse: Callable[[str], Refuse]) -> Times:
    import pandas as pd

    texts = pd.Series(column.to_pylist(), dtype=object).where(good, "0")
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    not_numbers = np.isnan(numbers)
    if not_numbers[good].mean() > 0.5 and not (texts[not_numbers].astype(str).str.lower() == "nan").all():
        dates = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True)
        refuse("a date in the form of ISO 8601 (2024-05-31T12:00:00), or a whole number")(
            (dates.isna() | texts.astype(str).str.fullmatch(r"-?\d+")).to_numpy() & good
        )
        values = dates.dt.as_unit("us").astype("int64").to_numpy()
        return Times(np.where(dates.isna(), 0, values), iso=True)
    is_nan = texts.astype(str).str.lower() == "nan"
    refuse("a number, as others in this column are")(not_numbers & ~is_nan.to_numpy())
    with np.errstate(invalid="ignore"):
        wrong = ~(np.isfinite(numbers) & (np.abs(numbers) < 2**53) & (numbers == np.floor(numbers)))
    refuse(NOT_WHOLE)(wrong)
    return Times(np.where(wrong, 0, numbers).astype(np.int64), iso=False)
