"""A column of times, read as a whole: neither its first row nor its first batch decides what the times count."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recbench.data.compact_dates import read_compact_dates
from recbench.data.time_texts import ISO, check_pattern, read_dates
from recbench.data.times import PER_SECOND, UNITS_BY_SIZE, Times, Unit, date_text, sizes
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Bools = npt.NDArray[np.bool_]
Refuse = Callable[[Bools, str], None]
"""Refuses the marked rows (bool[rows]); the text says what a valid value is."""

WHOLE = "a whole number that a 64-bit integer can hold"
TYPED = "dates"
"""The form of a column whose type is one for times."""
LARGEST_EXACT = 2**53
"""Floats hold every whole number up to this."""


def check_time_form(form: str) -> str:
    """Returns a form of times if it is valid: a ``Unit``, or a pattern of strptime.

    Raises:
        ValueError: It is neither.
    """
    if form not in set(Unit):
        if "%" not in form:
            raise ValueError(f"{form!r} is neither one of {', '.join(Unit)} nor a pattern such as %d.%m.%Y")
        check_pattern(form)
    return form


def time_format(form: str | None) -> str | None:
    """Returns a form of times that a user named, or None for none.

    Raises:
        RecbenchError: It is no form, see ``check_time_form``.
    """
    try:
        return None if form is None else check_time_form(form)
    except ValueError as error:
        raise RecbenchError(
            f"The format of times {form!r} is not valid: {error}.",
            "Give a pattern such as '%d.%m.%Y %H:%M', or seconds, milliseconds, microseconds, nanoseconds or order.",
        ) from error


class TimeColumn:
    """Collects the times of all batches, and reads them together.

    Args:
        form: The form of the times, see ``check_time_form``; None to find it.
    """

    def __init__(self, form: str | None = None) -> None:
        self._form = form
        self._chunks: list[Int64Array | pa.Array] = []

    def add(self, column: "pa.Array") -> None:
        """Adds the times of a batch: whole numbers, floats, times, dates, or the text of any of these."""
        import pyarrow as pa

        self._chunks.append(column)
        if self._form is None or self._form in set(Unit):
            if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
                return
            try:
                # As floats, nanoseconds would lose their order.
                self._chunks[-1] = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                return

    def text(self, row: int) -> str:
        """Returns the text of a row, for messages."""
        for chunk in self._chunks:
            if row < len(chunk):
                value = chunk[row]
                return str(value.as_py() if hasattr(value, "as_py") else value)
            row -= len(chunk)
        raise IndexError(row)

    def read(self, name: str, refuse: Refuse, advice: str) -> Times:
        """Reads the times; the values of refused rows are undefined.

        Args:
            name: The table, for messages.
            refuse: Called with the rows that cannot be read.
            advice: How to name the form of times, for messages; ``{}`` stands for an example.

        Raises:
            RecbenchError: The column has several forms, or one that fits several dates.
        """
        times = self._read(name, refuse, advice)
        if times.share_after_2100() > 0.5:
            raise RecbenchError(
                f"{name}: read as {times.form}, the times end in {date_text(int(times.values.max()), times.unit)}.",
                advice.format("%Y%m%d%H%M%S"),
            )
        return times

    def _read(self, name: str, refuse: Refuse, advice: str) -> Times:
        import pyarrow as pa

        chunks = self._chunks
        if all(isinstance(chunk, np.ndarray) for chunk in chunks):
            return self._numbers(np.concatenate(chunks), refuse)
        typed = [
            not isinstance(chunk, np.ndarray) and (pa.types.is_date(chunk.type) or pa.types.is_timestamp(chunk.type))
            for chunk in chunks
        ]
        if all(typed):
            return _typed(chunks, refuse)
        if any(typed):
            raise RecbenchError(
                f"{name} has dates in some rows and numbers in other rows.",
                "Convert all of them to the same format.",
            )
        texts = _texts(chunks)
        if self._form is None or self._form in set(Unit):
            numbers = _floats(texts)
            is_number = ~np.isnan(numbers) | (texts.str.lower() == "nan").to_numpy(dtype=np.bool_)
            if self._form is not None or is_number.mean() >= 0.5:
                refuse(~is_number, "a number, as others in this column are" if self._form is None else "a number")
                return self._decimals(np.where(is_number, numbers, 0), refuse)
        dates = read_dates(texts, self._form, name, advice)
        return _dates(dates.microseconds, dates.valid, dates.form, refuse)

    def _numbers(self, numbers: Int64Array, refuse: Refuse) -> Times:
        if self._form is not None:
            unit = Unit(self._form)
            refuse(numbers < 0, "a number that is not negative")
            return Times(numbers, unit, _form_of(unit))
        if (compact := read_compact_dates(numbers)) is not None:
            return _dates(compact.microseconds, compact.valid, compact.form, refuse)
        negative = numbers < 0
        refuse(negative, "a number that is not negative")
        size = sizes(np.where(negative, 0, numbers))
        counts = np.bincount(size, minlength=len(UNITS_BY_SIZE))
        unit = UNITS_BY_SIZE[int(counts[1:].argmax()) + 1] if counts[1:].any() else Unit.ORDER
        if unit is not Unit.ORDER:
            of_another = (size > 0) & (size != UNITS_BY_SIZE.index(unit))
            refuse(of_another, f"a time in {unit} since 1970, as others in this column are")
        return Times(numbers, unit, _form_of(unit))

    def _decimals(self, numbers: npt.NDArray[np.float64], refuse: Refuse) -> Times:
        """Reads numbers of which some have a fraction, as whole numbers of the largest unit that loses nothing."""
        finite = np.isfinite(numbers)
        refuse(~finite, "a finite number")
        numbers = np.where(finite, numbers, 0)
        wrong = np.abs(numbers) >= LARGEST_EXACT
        refuse(wrong, WHOLE)
        numbers = np.where(wrong, 0, numbers)
        if (numbers == np.floor(numbers)).all():
            return self._numbers(numbers.astype(np.int64), refuse)
        negative = numbers < 0
        refuse(negative, "a number that is not negative")
        unit = self._numbers(np.floor(np.where(negative, 0, numbers)).astype(np.int64), refuse).unit
        if unit in (Unit.ORDER, Unit.NANOSECONDS):
            whole = np.floor(numbers)
            refuse(numbers != whole, "a whole number; only times that count from 1970 may have a fraction")
            return Times(whole.astype(np.int64), unit, _form_of(unit))
        form = f"{_form_of(unit)}, with fractions"
        whole = np.floor(numbers)
        finer = list(PER_SECOND)[list(PER_SECOND).index(unit) + 1 :]
        # A float of today's seconds holds microseconds, and nothing finer.
        for chosen in finer[:2] if unit is Unit.SECONDS else finer[:1]:
            factor = PER_SECOND[chosen] // PER_SECOND[unit]
            scaled = whole.astype(np.int64) * factor + np.rint((numbers - whole) * factor).astype(np.int64)
            times = Times(scaled, chosen, form)
            if (scaled / factor == numbers).all():
                break
        return times


def _form_of(unit: Unit) -> str:
    return "numbers too small for dates, which only give an order" if unit is Unit.ORDER else f"{unit} since 1970"


def _dates(microseconds: Int64Array, valid: Bools, form: str, refuse: Refuse) -> Times:
    what = (
        "a date in the form of ISO 8601 (2024-05-31T12:00:00), or a whole number" if form == ISO else f"a date {form}"
    )
    refuse(~valid, what)
    refuse(valid & (microseconds < 0), "a time from 1970 on")
    return Times.of_dates(microseconds, f"dates {form}")


def _typed(chunks: "list[Any]", refuse: Refuse) -> Times:
    import pyarrow as pa

    column = pa.chunked_array([chunk.cast(pa.timestamp("us"), safe=False) for chunk in chunks])
    microseconds = column.cast(pa.int64()).to_numpy()
    if all(pa.types.is_timestamp(chunk.type) and chunk.type.unit == "ns" for chunk in chunks):
        # Finer than microseconds: as they are, so that their order stays.
        exact = pa.chunked_array([chunk.cast(pa.int64()) for chunk in chunks]).to_numpy()
        if (exact % 1000).any():
            refuse(exact < 0, "a time from 1970 on")
            return Times(exact, Unit.NANOSECONDS, TYPED)
    refuse(microseconds < 0, "a time from 1970 on")
    return Times.of_dates(microseconds, TYPED)


def _texts(chunks: "list[Any]") -> "pd.Series[Any]":
    import pandas as pd

    values = [chunk.tolist() if isinstance(chunk, np.ndarray) else chunk.to_pylist() for chunk in chunks]
    return pd.Series([str(value) for chunk in values for value in chunk], dtype=object)


def _floats(texts: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    import pandas as pd

    numbers: npt.NDArray[np.float64] = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return numbers
