"""How a process ended, in words."""

import signal
from contextlib import suppress
from typing import Final

WINDOWS_ENDINGS: Final = {
    0xC0000005: "access violation",
    0xC000001D: "illegal instruction",
    0xC00000FD: "stack overflow",
    0xC0000017: "no memory",
    0xC0000374: "heap corruption",
    0xC0000409: "abort",
}


def describe_ending(code: int) -> tuple[str, str | None]:
    """Says how a process ended.

    Args:
        code: Its exit code; minus the number of a signal.

    Returns:
        The words, and the name of the signal, if it was one.

    >>> describe_ending(7), describe_ending(0xC0000005)
    (('exit code 7', None), ('exit code 0xC0000005, access violation', None))
    """
    if code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return name, name
        return f"signal {-code}", f"signal {-code}"
    if code in WINDOWS_ENDINGS:
        return f"exit code 0x{code:08X}, {WINDOWS_ENDINGS[code]}", None
    return f"exit code {code}", None
