"""Dates written as text: which pattern a whole column has."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recbench.data.compact_dates import is_compact_date
from recbench.data.times import FIRST_YEAR, LAST_YEAR, PER_SECOND
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array

if TYPE_CHECKING:
    import pandas as pd

ISO = "ISO 8601"
SAMPLE = 64
"""Values, spread over the column, of which a pattern must read one before it is tried on the whole column."""
DATES = (
    "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y",
    "%m-%d-%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d %Y", "%b %d, %Y", "%B %d, %Y", "%m %d, %Y",
    "%a, %d %b %Y",
)  # fmt: skip
CLOCKS = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S,%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M:%S.%f %p")
WHOLE = ("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y", "%d/%b/%Y:%H:%M:%S", "%d/%b/%Y:%H:%M:%S %z")
"""Patterns whose date and clock are not one behind the other: of C, of Twitter, of logs of web servers."""
WIDTHS = {"%d": 2, "%m": 2, "%y": 2, "%Y": 4, "%H": 2, "%M": 2, "%S": 2}
"""Digits of directives of a fixed width."""
UTC_NAME = re.compile(r"\s*(?:UTC|GMT|Z)(?=$|\s\d{4}$)", re.IGNORECASE)
"""At the end, or before the year at the end, as ``date`` prints it."""


@dataclass(frozen=True, slots=True)
class Dates:
    """Texts read as dates.

    Attributes:
        microseconds: int64[rows], since 1970; 0 where the text is no date.
        valid: bool[rows].
        form: The pattern, or ``ISO``.
    """

    microseconds: Int64Array
    valid: npt.NDArray[np.bool_]
    form: str


def read_dates(texts: "pd.Series[Any]", pattern: str | None, name: str, advice: str) -> Dates:
    """Reads dates; without a time zone they are UTC.

    Args:
        texts: The texts of the whole column.
        pattern: The pattern of strptime; None to find the one that most of the texts have.
        name: The table, for messages.
        advice: How to name a pattern, for messages.

    Raises:
        RecbenchError: Two patterns read all texts, as days and months in either order, and differ.
    """
    if pattern is not None:
        return _parsed(_padded(texts, pattern), pattern, pattern)
    plain = texts.str.strip().str.replace(UTC_NAME, "", regex=True)
    iso = _parsed(plain, "ISO8601", ISO)
    # A year, or a number among dates, is not a date that somebody meant.
    iso = Dates(iso.microseconds, iso.valid & ~plain.str.fullmatch(r"-?\d+").to_numpy(dtype=np.bool_), ISO)
    if iso.valid.all():
        return iso
    readings = [iso, *(_parsed(plain, each, each) for each in _possible(plain))]
    best = max(int(dates.valid.sum()) for dates in readings)
    likely = [dates for dates in readings if int(dates.valid.sum()) == best]
    for other in likely[1:]:
        if not np.array_equal(other.microseconds, likely[0].microseconds):
            example = plain[likely[0].valid].iloc[0]
            raise RecbenchError(
                f"{name} has times such as {example!r}, which may be read as {likely[0].form!r} or {other.form!r}.",
                advice.format(likely[0].form),
            )
    return likely[0]


def _padded(texts: "pd.Series[Any]", pattern: str) -> "pd.Series[Any]":
    """Returns the texts with the zero that a number loses at its start: 01122024 becomes 1122024.

    Without it, a pattern such as ``%d%m%Y`` reads 11 as the day.
    """
    directives = re.findall(r"%.", pattern)
    if "".join(directives) != pattern or not WIDTHS.keys() >= set(directives):
        return texts
    width = sum(WIDTHS[directive] for directive in directives)
    return texts.where(~texts.str.fullmatch(rf"\d{{{width - 1}}}"), "0" + texts)


def _possible(texts: "pd.Series[Any]") -> list[str]:
    """Returns the patterns that read at least one text of a sample."""
    step = max(1, len(texts) // SAMPLE)
    sample = texts.iloc[::step]
    return [pattern for pattern in _patterns() if _parsed(sample, pattern, pattern).valid.any()]


def _patterns() -> Iterator[str]:
    for date, clock in itertools.product(DATES, CLOCKS):
        whole = f"{date} {clock}".strip()
        yield whole
        if clock:
            yield f"{whole} %z"
    yield from WHOLE


def _parsed(texts: "pd.Series[Any]", pattern: str, form: str) -> Dates:
    import pandas as pd

    dates = pd.to_datetime(texts, errors="coerce", format=pattern, utc=True)
    valid = ~dates.isna().to_numpy()
    microseconds = dates.dt.as_unit("us").astype("int64").to_numpy()
    return Dates(np.where(valid, microseconds, 0), valid, form)


def may_be_time(text: str) -> bool:
    """Whether a text may be the time of an interaction: a date of ISO 8601, or a number that counts from 1970.

    >>> [may_be_time(text) for text in ("1700000000", "2023-11-14", "20231114", "4.5", "100000")]
    [True, True, True, False, False]
    """
    try:
        number = float(text)
    except ValueError:
        try:
            datetime.fromisoformat(text.strip())
        except ValueError:
            return False
        return True
    if any(FIRST_YEAR * unit <= number < LAST_YEAR * unit for unit in PER_SECOND.values()):
        return True
    return number.is_integer() and is_compact_date(int(number))


def check_pattern(pattern: str) -> None:
    """Checks a pattern of strptime.

    Raises:
        ValueError: It has no directive, or one that does not exist, or none for the year.
    """
    directives = re.findall(r"%(.)", pattern)
    if unknown := [each for each in directives if each not in "aAbBdHIjmMpSfyYzZ%"]:
        raise ValueError(f"strptime has no directive %{unknown[0]} here")
    if not {"y", "Y"} & set(directives):
        raise ValueError("it has no year (%Y)")
