"""Lengths of time as options."""

import re

from recbench.errors import RecbenchError

DURATION = re.compile(r"([0-9]{1,6}) *([hdw])")
SECONDS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


def parse_duration(option: str, text: str) -> int:
    """Reads a length of time, such as ``12h``, ``30d`` or ``4w``, in seconds.

    Args:
        option: The option's name, for the message.
        text: A whole number and a unit.

    Raises:
        RecbenchError: The text is not a length of time.
    """
    match = DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise RecbenchError(
            f"{option} {text[:40]!r} is not a length of time.",
            "Give a whole number and a unit, hours, days or weeks: 12h, 30d or 4w.",
        )
    return int(match[1]) * SECONDS[match[2]]
