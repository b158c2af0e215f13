"""Dates written as one whole number: 20140516, 20140516170950 and the like."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int64Array

FIRST_YEAR, LAST_YEAR = 1971, 2099
SCALE = 10**9
"""The fields behind the date, hour to millisecond, fill nine digits."""


@dataclass(frozen=True, slots=True)
class CompactDates:
    """Numbers read as compact dates.

    Attributes:
        microseconds: int64[rows], since 1970; 0 where the number is no such date.
        valid: bool[rows].
        form: The forms that occur, such as ``YYYYMMDD``.
    """

    microseconds: Int64Array
    valid: npt.NDArray[np.bool_]
    form: str


FORMS = {
    "YYYYMMDD": 1,
    "YYYYMMDDhh": 10**2,
    "YYYYMMDDhhmm": 10**4,
    "YYYYMMDDhhmmss": 10**6,
    "YYYYMMDDhhmmssfff": 10**9,
}
"""By form, one more than the largest number of the fields behind the date."""


def read_compact_dates(numbers: Int64Array) -> CompactDates | None:
    """Reads numbers as compact dates, UTC.

    No time of an interaction since 1971 that counts from 1970 looks like one, but for seconds of the years 2032 to
    2034, of which 1 in 100 does.

    Args:
        numbers: int64[rows].

    Returns:
        None if at most half of the numbers are such dates.
    """
    microseconds, valid = np.zeros(len(numbers), dtype=np.int64), np.zeros(len(numbers), dtype=np.bool_)
    forms = []
    for form, behind in FORMS.items():
        of_form = (numbers >= (FIRST_YEAR * 10**4) * behind) & (numbers < (LAST_YEAR + 1) * 10**4 * behind)
        rows = np.flatnonzero(of_form)
        if not len(rows):
            continue
        values, possible = _dates(numbers[rows], behind)
        if possible.any():
            forms.append(form)
            microseconds[rows], valid[rows] = np.where(possible, values, 0), possible
    if valid.mean() <= 0.5:
        return None
    return CompactDates(microseconds, valid, " or ".join(forms))


def is_compact_date(number: int) -> bool:
    """Whether a number is a compact date."""
    if not FIRST_YEAR * 10**4 <= number < (LAST_YEAR + 1) * 10**4 * SCALE:
        return False
    return read_compact_dates(np.array([number])) is not None


DAY_FIRST = {"%d%m%Y": (10**6, 10**4), "%m%d%Y": (10**4, 10**6)}
"""Patterns of dates in which the year is last; what the day and the month are multiplied with."""


def day_first_pattern(numbers: Int64Array) -> str | None:
    """Returns the pattern of dates of which the year is last, such as 31122024; None if not all numbers are such dates.

    If all numbers fit both patterns, it is the one in which the day is first.

    Args:
        numbers: int64[rows].
    """
    for pattern, (of_day, of_month) in DAY_FIRST.items():
        year, month, day = numbers % 10**4, numbers // of_month % 100, numbers // of_day % 100
        fits = (numbers < 10**8) & (numbers >= 0) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
        if (fits & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all():
            return pattern
    return None


def _dates(numbers: Int64Array, behind: int) -> tuple[Int64Array, npt.NDArray[np.bool_]]:
    """Returns microseconds since 1970, and which numbers are dates."""
    date, clock = np.divmod(numbers, behind)
    clock *= SCALE // behind
    year, month, day = date // 10**4, date // 100 % 100, date % 100
    hour, minute, second, millisecond = clock // 10**7, clock // 10**5 % 100, clock // 10**3 % 100, clock % 1000
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]") == months)
    valid &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = ((days.astype(np.int64) * 24 + hour) * 60 + minute) * 60 + second
    return seconds * 10**6 + millisecond * 1000, valid
