"""Pipes through which other processes talk, and waiting for them."""

import os
import select
import selectors
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Final, Protocol

try:
    import fcntl
except ImportError:  # Windows sets no size of pipes.
    fcntl = None  # type: ignore[assignment]

READ_BYTES: Final = 2**16
PIPE_BYTES: Final = 2**20


def enlarge_pipe(descriptor: int) -> None:
    """Lets a pipe hold ``PIPE_BYTES``, where its size can be set, so that a writer seldom waits."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        # A user may have too many large pipes already.
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


class IncomingPipe(Protocol):
    """The end of a pipe through which another process talks.

    Attributes:
        ended: Whether nothing will come any more.
    """

    ended: bool

    def read(self) -> bytes:
        """Returns bytes that have come; none if there are none now. Never waits."""
        ...

    def finish(self) -> None:
        """Makes sure that ``read`` returns all that a process sent that has ended."""
        ...


def incoming_pipe(file: IO[bytes]) -> IncomingPipe:
    """Returns the pipe of a file object, which it does not close."""
    return NonBlockingPipe(file) if _can_select_pipes() else ThreadedPipe(file)


def wait_for_pipes(pipes: Sequence[IncomingPipe], seconds: float) -> None:
    """Waits until something has come through one of the pipes, or the time is over."""
    if not _can_select_pipes():
        ThreadedPipe.news.wait(seconds)
        ThreadedPipe.news.clear()
        return
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            if isinstance(pipe, NonBlockingPipe) and not pipe.ended:
                selector.register(pipe, selectors.EVENT_READ)
        if selector.get_map():
            selector.select(seconds)
        else:
            time.sleep(seconds)


class NonBlockingPipe:
    """A pipe that is read without waiting."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.ended = False
        os.set_blocking(file.fileno(), False)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._file.fileno()

    def read(self) -> bytes:
        """See ``IncomingPipe``."""
        try:
            content = os.read(self._file.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        self.ended = not content
        return content

    def finish(self) -> None:
        """See ``IncomingPipe``; there is nothing to do."""


class ThreadedPipe:
    """A pipe that a thread reads, for systems that can only wait for sockets."""

    news = threading.Event()
    """Something has come through one of the pipes."""

    SECONDS_TO_END = 1.0

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._content = bytearray()
        self._lock = threading.Lock()
        self.ended = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def read(self) -> bytes:
        """See ``IncomingPipe``."""
        with self._lock:
            content = bytes(self._content[:READ_BYTES])
            del self._content[:READ_BYTES]
        return content

    def finish(self) -> None:
        """See ``IncomingPipe``. A copy of the process may keep the pipe open, so this does not wait long."""
        self._thread.join(self.SECONDS_TO_END)

    def _listen(self) -> None:
        # The other side has closed the pipe, or this one has.
        with suppress(OSError, ValueError):
            while content := os.read(self._file.fileno(), READ_BYTES):
                with self._lock:
                    self._content += content
                self.news.set()
        self.ended = True
        self.news.set()


def _can_select_pipes() -> bool:
    # ``select.poll`` is missing exactly where pipes cannot be waited for.
    return hasattr(select, "poll") and hasattr(os, "set_blocking")
