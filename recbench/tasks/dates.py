"""Moments of a spec, as dates or as the data's own numbers, in the unit of the data's times."""

from datetime import UTC, datetime

from recbench.data.times import PER_SECOND, Unit, unit_of
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array

Moment = int | datetime
"""A number is one of the data's own; a date without a zone is UTC."""


def in_unit_of(timestamps: Int64Array, moment: Moment) -> int:
    """Returns the moment as a number that can be compared with the timestamps.

    Args:
        timestamps: int64[rows], at least one.
        moment: The moment.

    Raises:
        RecbenchError: It is a date, and the timestamps are too small to count from 1970.
    """
    if isinstance(moment, int):
        return moment
    unit = unit_of(timestamps)
    if unit is Unit.ORDER:
        raise RecbenchError(
            f"The spec names the date {moment}, but the data's times end at {timestamps.max()}: they give an order and "
            "no dates.",
            "Name a number of the data's own.",
        )
    since_1970 = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since_1970.days * 86_400 + since_1970.seconds) * 10**6 + since_1970.microseconds
    # The first whole number of the unit at or after the moment.
    return -(-microseconds * PER_SECOND[unit] // 10**6)
