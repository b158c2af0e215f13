"""Moments as options."""

from datetime import UTC, datetime, timedelta

from recbench.cli.shared.durations import DURATION, parse_duration
from recbench.errors import RecbenchError


def parse_moment(option: str, text: str, now: datetime) -> datetime:
    """Reads a moment: a date or time of ISO 8601, in UTC unless it says otherwise, or a length of time before now.

    Args:
        option: The option's name, for the message.
        text: Such as ``2026-01-31``, ``2026-01-31T12:00`` or ``30d``.
        now: The present, UTC.

    Raises:
        RecbenchError: The text is neither, or the moment is before the year 1.
    """
    try:
        if DURATION.fullmatch(text.strip().lower()):
            return now - timedelta(seconds=parse_duration(option, text))
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RecbenchError(
            f"{option} {text[:40]!r} is neither a date nor a length of time.",
            "Give a date such as 2026-01-31 or 2026-01-31T12:00, or hours, days or weeks: 12h, 30d or 4w.",
        ) from None
