"""What a model may change in a process that it shares with the run, and what is put back after each trial."""

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO


@contextlib.contextmanager
def surroundings_restored() -> Iterator[None]:
    """Puts back what a model has changed: standard streams, working folder, environment, umask, signals, recursion.

    A copy of the process that a model has forked, and that comes back from the model's code, ends here.
    """
    owner = os.getpid()
    streams, environment, limit = (sys.stdin, sys.stdout, sys.stderr), dict(os.environ), sys.getrecursionlimit()
    folder = _working_folder()
    mask = _umask()
    handlers = _handlers()
    try:
        yield
    finally:
        if os.getpid() != owner:
            os._exit(0)
        sys.stdin, sys.stdout, sys.stderr = (_opened(stream, number) for number, stream in enumerate(streams))
        sys.setrecursionlimit(limit)
        # What a framework has added stays: it may need it in the next trial.
        os.environ.update(environment)
        if folder is not None and _working_folder() != folder:
            # The model may have deleted it.
            with contextlib.suppress(OSError):
                os.chdir(folder)
        os.umask(mask)
        for number, handler in handlers.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)


def _opened(stream: TextIO, descriptor: int) -> TextIO:
    """Returns a standard stream, or another one if the model has closed it."""
    if stream is None or not stream.closed:
        return stream
    raw = os.fdopen(descriptor, "rb" if descriptor == 0 else "wb", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _working_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a text is enough
    except OSError:
        return None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _handlers() -> dict[int, Any]:
    """Returns the handlers of all signals that Python knows them of; none in another thread than the main one."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    return {number: handler for number, handler in handlers.items() if handler is not None}
