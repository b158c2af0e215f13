"""The type of a time in a file."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time in UTC is before the year 1 or after the year 9999") from error


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A time with any offset, kept in UTC: its text sorts by time, and tables that show it as UTC are right."""
