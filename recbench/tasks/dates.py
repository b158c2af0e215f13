"""Times in a spec, as dates or as numbers, converted to the unit of the data's times."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator

from recbench.data.interactions import Interactions
from recbench.data.times import FIRST_YEAR, PER_SECOND, Unit
from recbench.errors import RecbenchError


def _no_year_alone(value: object) -> object:
    """Refuses what a number or a date would be made of, and nobody meant as one: ``"2015"``, ``True``."""
    if isinstance(value, bool):
        raise ValueError("a truth value is not a time")
    if isinstance(value, str) and value.strip().isdecimal() and int(value) < FIRST_YEAR:
        raise ValueError(f"the text {value!r} is not a date; give a date such as 2015-01-01, or a number, not text")
    return value


DateOrNumber = Annotated[int | datetime, BeforeValidator(_no_year_alone)]
"""A number is in the data's own unit; a date without a time zone is UTC."""


def in_unit_of(interactions: Interactions, value: DateOrNumber) -> int:
    """Returns a date or number in the unit of the times.

    Args:
        interactions: At least one row, with times.
        value: A date, or a number in the data's own unit.

    Raises:
        RecbenchError: It is a date, and the timestamps are too small to count from 1970.
    """
    if isinstance(value, int):
        return value
    unit, times = interactions.unit, interactions.timestamps
    assert unit is not None
    assert times is not None
    if unit is Unit.ORDER:
        raise RecbenchError(
            f"The spec names the date {value}, but the data's times end at {times.max()}: they give an order and "
            "no dates.",
            "Give a number in the data's own unit.",
        )
    since_1970 = (value if value.tzinfo else value.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since_1970.days * 86_400 + since_1970.seconds) * 10**6 + since_1970.microseconds
    # The first whole number of the unit at or after the date.
    return -(-microseconds * PER_SECOND[unit] // 10**6)
