"""Times of interactions as whole numbers of one unit, and what is unlikely about them."""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from recbench.protocol import Int64Array

log = logging.getLogger(__name__)

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
LAST_YEAR = 4_102_444_800
"""2100 in seconds: a later time is not the time of an interaction."""
DAY = 86_400
"""In seconds."""


def unit_of(timestamps: Int64Array) -> Unit:
    """Returns the unit, by the size of the latest time: 1971 to 5138 as seconds, and so on with three digits more."""
    return UNITS_BY_SIZE[int(sizes(timestamps.max()[None])[0])]


UNITS_BY_SIZE = (Unit.ORDER, *PER_SECOND)


def sizes(timestamps: Int64Array) -> npt.NDArray[np.intp]:
    """Returns intp[rows], for each time the index in ``UNITS_BY_SIZE`` of the unit that its size suggests."""
    return np.searchsorted(np.array([FIRST_YEAR, 10**11, 10**14, 10**17]), timestamps, side="right")


@dataclass(frozen=True, slots=True)
class Times:
    """The times of all rows of a table.

    Attributes:
        values: int64[rows], in ``unit``.
        unit: What they count since 1970.
        form: How the table writes them, for messages.
    """

    values: Int64Array
    unit: Unit
    form: str

    @classmethod
    def of_dates(cls, microseconds: Int64Array, form: str) -> "Times":
        """Returns times that were dates: as seconds where that loses nothing, else as microseconds."""
        if (microseconds % MICROSECONDS).any():
            return cls(microseconds, Unit.MICROSECONDS, form)
        return cls(microseconds // MICROSECONDS, Unit.SECONDS, form)

    def select(self, keep: npt.NDArray[np.bool_]) -> "Times":
        """Returns the times marked in ``keep`` (bool[rows])."""
        return Times(self.values[keep], self.unit, self.form)

    def share_after_2100(self) -> float:
        """Returns the share of the rows that no interaction can have; 0 if the times only give an order."""
        if self.unit is Unit.ORDER:
            return 0.0
        return float((self.values >= LAST_YEAR * PER_SECOND[self.unit]).mean())

    def warn_of_unlikely(self, name: str) -> None:
        """Warns of times before 1971, such as a 0 that stands for a missing time, and of times after today.

        Args:
            name: The table, for the message.
        """
        if self.unit is Unit.ORDER:
            return
        per_second = PER_SECOND[self.unit]
        tomorrow = (int(time.time()) + DAY) * per_second
        for marked, what in (
            (self.values < FIRST_YEAR * per_second, "before 1971"),
            (self.values > tomorrow, "in the future"),
        ):
            if count := int(marked.sum()):
                example = int(self.values[int(marked.argmax())])
                log.warning(
                    "%s: the times of %s of %s rows are %s; the first of them is %s. Check the form of the times.",
                    name, f"{count:,}", f"{len(self.values):,}", what, date_text(example, self.unit),
                )  # fmt: skip


def date_text(value: int, unit: Unit) -> str:
    """Returns a time as a date, UTC; as a number if the times only give an order, or if it has no date."""
    if unit is Unit.ORDER:
        return str(value)
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value // PER_SECOND[unit]):%Y-%m-%d}"
    except OverflowError:
        return str(value)
