"""Ctrl-C and SIGTERM: they end a run at once, but never between the two files of a record."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM has come."""


class _State:
    """Handlers are the process's, and so is this.

    Attributes:
        held: How many blocks must not be interrupted now.
        pending: What came meanwhile.
    """

    held = 0
    pending: type[KeyboardInterrupt] | None = None


@contextmanager
def interruptible() -> Iterator[None]:
    """Turns SIGINT into ``KeyboardInterrupt`` and SIGTERM into ``Terminated`` inside of the block.

    Only the main thread can do so. A shell's background jobs ignore SIGINT, and go on doing so.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if before[signal.SIGINT] is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interruptions() -> None:
    """Lets what follows the first interruption, such as its message, not be interrupted again."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Puts interruptions off until the end of the block."""
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
        if not _State.held and _State.pending is not None:
            pending, _State.pending = _State.pending, None
            raise pending


def _handle(number: int, _: FrameType | None) -> None:
    kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt
    if _State.held:
        _State.pending = kind
    else:
        raise kind
