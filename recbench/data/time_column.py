"""A column of times, read as a whole: neither its first row nor its first batch decides what the times count."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recbench.data.compact_dates import day_first_pattern, read_compact_dates
from recbench.data.exact_numbers import inexact_from
from recbench.data.plain_values import plain_value
from recbench.data.time_texts import ISO, check_pattern, read_dates
from recbench.data.times import PER_SECOND, UNITS_BY_SIZE, Times, Unit, date_text, sizes
from recbench.data.typed_times import SINCE_1970, Bools, Refuse, is_typed, read_typed
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

WHOLE = "a whole number that a 64-bit integer can hold"
LARGEST_EXACT = inexact_from(np.dtype(np.float64))
"""Of numbers read from text, which become 64-bit floats if one of them has a fraction."""


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


def exact_time(dtype: "np.dtype[Any]") -> str:
    """Returns what a time of a type of floats should be: the rest of a sentence after "the timestamp is 1.7e9, not"."""
    return (
        f"an exact time: {dtype} holds every whole number only up to {inexact_from(dtype):,.0f}, so that other times "
        "may have become the same; store the times as 64-bit whole numbers"
    )


def time_format(form: object) -> str | None:
    """Returns a form of times that a user named, or None for none.

    Raises:
        RecbenchError: It is no form, see ``check_time_form``.
    """
    try:
        if form is None:
            return None
        if not isinstance(form, str):
            raise ValueError(f"it has the type {type(form).__name__}, not str")
        return check_time_form(form)
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
            if is_typed(column.type):
                return
            if pa.types.is_floating(column.type) and _inexact(column).any():
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
                return str(value if isinstance(chunk, np.ndarray) else plain_value(value))
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
        if times.unit is Unit.ORDER and self._form is None and (pattern := day_first_pattern(times.values)) is not None:
            raise RecbenchError(
                f"{name}: all times look like dates of the form {pattern}, such as {times.values[0]}. Numbers of this "
                "form are not in the order of time.",
                f"{advice.format(pattern)} If the numbers only give an order: {advice.format(Unit.ORDER)}",
            )
        if times.share_after_2100() > 0.5:
            raise RecbenchError(
                f"{name}: read as {times.form}, the times end in {date_text(int(times.values.max()), times.unit)}.",
                advice.format("%Y%m%d%H%M%S"),
            )
        return times

    def _read(self, name: str, refuse: Refuse, advice: str) -> Times:
        chunks = self._chunks
        if all(isinstance(chunk, np.ndarray) for chunk in chunks):
            return self._numbers(np.concatenate(chunks), refuse)
        typed = [not isinstance(chunk, np.ndarray) and is_typed(chunk.type) for chunk in chunks]
        if all(typed):
            if self._form is not None:
                raise RecbenchError(
                    f"{name}: the times are dates by the type of their column, but the format {self._form!r} is set.",
                    "Leave out the format: it describes times that are numbers or text.",
                )
            return read_typed(chunks, refuse)
        if any(typed):
            raise RecbenchError(
                f"{name} has dates in some rows and numbers in other rows.",
                "Convert all of them to the same format.",
            )
        texts = _texts(chunks)
        self._refuse_inexact(refuse)
        if self._form is None or self._form in set(Unit):
            numbers = _floats(texts)
            is_number = ~np.isnan(numbers) | (texts.str.lower() == "nan").to_numpy(dtype=np.bool_)
            if self._form is not None or is_number.mean() >= 0.5:
                refuse(~is_number, "a number, as others in this column are" if self._form is None else "a number")
                return self._decimals(np.where(is_number, numbers, 0), refuse)
        dates = read_dates(texts, self._form, name, advice)
        return _dates(dates.microseconds, dates.valid, dates.form, refuse)

    def _refuse_inexact(self, refuse: Refuse) -> None:
        """Refuses floats that several times may have become."""
        import pyarrow as pa

        start, n_rows = 0, sum(map(len, self._chunks))
        for chunk in self._chunks:
            if not isinstance(chunk, np.ndarray) and pa.types.is_floating(chunk.type):
                inexact = np.zeros(n_rows, dtype=np.bool_)
                inexact[start : start + len(chunk)] = _inexact(chunk)
                if inexact.any():
                    refuse(inexact, exact_time(np.dtype(chunk.type.to_pandas_dtype())))
            start += len(chunk)

    def _numbers(self, numbers: Int64Array, refuse: Refuse) -> Times:
        if self._form is not None:
            unit = Unit(self._form)
            refuse(numbers < 0, "a number that is not negative")
            return Times(numbers, unit, _form_of(unit))
        if (compact := read_compact_dates(numbers)) is not None:
            return _dates(compact.microseconds, compact.valid, compact.form, refuse)
        negative = numbers < 0
        refuse(negative, "a number that is not negative")
        size = sizes(np.where(negative, 0, numbers) if negative.any() else numbers)
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
    negative = valid & (microseconds < 0)
    refuse(negative, SINCE_1970)
    # A row that is refused must not decide the unit of the others.
    return Times.of_dates(np.where(negative, 0, microseconds), f"dates {form}")


def _inexact(column: "pa.Array") -> Bools:
    """Returns bool[rows], which floats of a column several whole numbers may have become."""
    numbers = column.to_numpy(zero_copy_only=False)
    inexact: Bools = np.isfinite(numbers) & (np.abs(numbers) >= inexact_from(numbers.dtype))
    return inexact


def _texts(chunks: "list[Any]") -> "pd.Series[Any]":
    import pandas as pd

    values = [chunk.tolist() if isinstance(chunk, np.ndarray) else chunk.to_pylist() for chunk in chunks]
    return pd.Series([str(value) for chunk in values for value in chunk], dtype=object)


def _floats(texts: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    import pandas as pd

    numbers: npt.NDArray[np.float64] = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return numbers
