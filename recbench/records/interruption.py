"""Ctrl-C, SIGTERM and SIGHUP (on Windows, Ctrl-Break) end a run at once, but never between a record's two files."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from recbench.operating_system.signals import terminating_signals


class Terminated(KeyboardInterrupt):
    """SIGTERM, SIGHUP or Ctrl-Break has come."""


class _State:
    """Handlers are the process's, and so is this.

    Attributes:
        held: How many blocks must not be interrupted now.
        pending: What came meanwhile.
        raised: What was raised. It is lost where Python only prints an error, as in ``__del__`` and in callbacks.
    """

    held = 0
    pending: type[KeyboardInterrupt] | None = None
    raised: type[KeyboardInterrupt] | None = None


@contextmanager
def interruptible() -> Iterator[None]:
    """Turns SIGINT into ``KeyboardInterrupt``, and SIGTERM and SIGHUP into ``Terminated`` inside of the block.

    Only the main thread can do so. Signals that are ignored stay ignored: SIGINT in a shell's background jobs, and
    SIGHUP below ``nohup``.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *terminating_signals())}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN or number == signal.SIGTERM:
            signal.signal(number, _handle)
    try:
        yield
    finally:
        # What comes from here on comes too late to interrupt the block.
        _State.held += 1
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.held -= 1
        _State.raised = _State.pending = None


def interruption_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Returns the interruption that an error inside of ``interruptible`` is or comes from; None if there is none.

    Python and libraries replace an interruption by an error of their own, with or without a reference to it:
    ``RuntimeError`` from ``__set_name__`` (until Python 3.12) and ``SchemaError`` from pydantic, both while modules are
    imported. So any error after an interruption counts.
    """
    if isinstance(error, KeyboardInterrupt):
        return error
    return None if _State.raised is None else _State.raised()


def ignore_interruptions() -> None:
    """Lets what follows the first interruption, such as its message, not be interrupted again."""
    for number in (signal.SIGINT, *terminating_signals()):
        signal.signal(number, signal.SIG_IGN)


def forget_interruption() -> None:
    """Lets the process end with the exit code that whoever caught an interruption chose.

    CPython (seen in 3.11) makes a note of an interruption that leaves code given as text, such as the methods that
    ``dataclass`` writes and runs while a module is imported. Though it is caught later, ``python -m`` then ends by
    SIGINT, whatever its exit code. The next code given as text takes the note back.
    """
    exec("")


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Puts interruptions off until the end of the block."""
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
        if not _State.held and _State.pending is not None:
            _State.raised, _State.pending = _State.pending, None
            raise _State.raised


def raise_lost_interruption() -> None:
    """Raises an interruption again that was raised inside of ``interruptible`` and got lost.

    Raises:
        KeyboardInterrupt: There was one.
    """
    if _State.raised is not None and not _State.held:
        raise _State.raised


def interruption_is_pending() -> bool:
    """Whether an interruption is put off: what waits for something else should give up."""
    return _State.pending is not None


def _handle(number: int, _: FrameType | None) -> None:
    kind = KeyboardInterrupt if number == signal.SIGINT else Terminated
    if _State.held:
        _State.pending = kind
    else:
        _State.raised = kind
        raise kind
