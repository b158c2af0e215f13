"""Locks between processes: whoever reads files, changes them and writes them again holds one meanwhile.

The lock is on an open file, so that the system frees it when the process ends, however it ends. Some network file
systems have no such locks. There, a second file stands for the lock. It names the process that holds it, so that the
file of a process that has ended is removed.
"""

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.operating_system.file_locks import lock_exclusively
from recbench.operating_system.process_identity import process_start

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ATTEMPTS: Final = 0.02
MARKER_SUFFIX: Final = ".held.lock"
"""Ends the name of the file that stands for a lock where the file system has none."""
SECONDS_OF_OTHER_HOST: Final = 10.0
"""A lock is held for the time of a few writes. A file of another host that stays longer was probably left."""


class LockHeldError(RecbenchError):
    """Another process holds the lock."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """The process that holds a lock.

    Attributes:
        host: Its machine.
        pid: Its id there.
        started: What tells it from other processes that had or will have this id, see ``process_start``.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def this_process(cls) -> "_Holder":
        return cls(socket.gethostname(), os.getpid(), process_start(os.getpid()) or "")

    @property
    def is_here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def has_ended(self) -> bool:
        """Whether it has surely ended; of another host's process nothing is known."""
        return self.is_here and process_start(self.pid) != self.started

    def __str__(self) -> str:
        return f"process {self.pid}" + ("" if self.is_here else f" of the machine {self.host}")


@contextmanager
def lock_held(
    path: Path, seconds: float, advice: str = "", give_up: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Holds a lock during the block. The same thread must not ask for it again meanwhile.

    Args:
        path: The file of the lock; made if it does not exist, and never removed. Its folder exists.
        seconds: How long to wait for another process.
        advice: What else the user can do if another process keeps the lock.
        give_up: Whether not to wait any longer.

    Raises:
        LockHeldError: Another process keeps the lock.
        OSError: The file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with _locked(descriptor, path, _Patience(seconds, give_up), advice):
            yield
    finally:
        # The lock ends here, whatever the file system says, and the work under it is done.
        with suppress(OSError):
            os.close(descriptor)


class _Patience:
    """How long to wait for another process."""

    def __init__(self, seconds: float, give_up: Callable[[], bool]) -> None:
        self._began = time.monotonic()
        self._seconds = seconds
        self._give_up = give_up

    @property
    def is_over(self) -> bool:
        return self.waited > self._seconds or self._give_up()

    @property
    def waited(self) -> float:
        return time.monotonic() - self._began


@contextmanager
def _locked(descriptor: int, path: Path, patience: _Patience, advice: str) -> Iterator[None]:
    while (locked := lock_exclusively(descriptor)) is False:
        if patience.is_over:
            raise _still_held(path, _read(path.read_bytes()), patience.waited, advice)
        time.sleep(SECONDS_BETWEEN_ATTEMPTS)
    if locked is None:
        with _marked(path.with_name(path.name.removesuffix(".lock") + MARKER_SUFFIX), patience):
            yield
        return
    # For the message of a process that waits in vain; a full disk must not keep anybody from the lock.
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.truncate(descriptor, os.write(descriptor, _text(_Holder.this_process())))
    yield


@contextmanager
def _marked(marker: Path, patience: _Patience) -> Iterator[None]:
    """Holds the file that stands for a lock: only one process can make it."""
    first_seen: dict[bytes, float] = {}
    while True:
        try:
            descriptor = os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            break
        except FileExistsError:
            pass
        try:
            content = marker.read_bytes()
        except FileNotFoundError:
            continue
        holder, now = _read(content), patience.waited
        if holder is not None and holder.has_ended:
            _remove(marker, content)
            continue
        since = first_seen.setdefault(content, now)
        left = holder is not None and not holder.is_here and now > since + SECONDS_OF_OTHER_HOST
        if left or patience.is_over:
            raise LockHeldError(
                f"{marker} says that {holder or 'a process'} holds a lock; it has not changed for {now - since:.0f} s. "
                "This file system has no locks that end with their process.",
                f"If that process no longer runs, remove the file: rm {shell_word(marker)}",
            )
        time.sleep(SECONDS_BETWEEN_ATTEMPTS)
    try:
        try:
            os.write(descriptor, _text(_Holder.this_process()))
        finally:
            os.close(descriptor)
        yield
    finally:
        _release(marker)


def _release(marker: Path) -> None:
    try:
        marker.unlink(missing_ok=True)
    except OSError as error:
        # The work under the lock is done. Once this process has ended, others remove the file.
        log.warning(
            "Warning: the lock %s cannot be released: %s. If other commands wait for it, remove it: rm %s",
            marker, error.strerror or error, shell_word(str(marker)),
        )  # fmt: skip


def _remove(marker: Path, content: bytes) -> None:
    """Removes the file of a process that has ended, unless another process has just done so and made its own."""
    aside = marker.with_name(f"{marker.name.removesuffix('.lock')}.{os.getpid()}.lock")
    with suppress(FileNotFoundError):
        marker.rename(aside)
        if aside.read_bytes() != content:
            # It is a new one, and its process believes that it holds the lock.
            with suppress(FileExistsError):
                os.link(aside, marker)
        aside.unlink()


def _text(holder: _Holder) -> bytes:
    return json.dumps({"host": holder.host, "pid": holder.pid, "started": holder.started}).encode()


def _read(content: bytes) -> _Holder | None:
    """Returns the holder that a file names; None if it names none, as while it is being written."""
    try:
        fields = json.loads(content)
        return _Holder(str(fields["host"]), int(fields["pid"]), str(fields["started"]))
    except (ValueError, KeyError, TypeError):
        return None


def _still_held(path: Path, holder: _Holder | None, seconds: float, advice: str) -> LockHeldError:
    if holder is None or not holder.is_here:
        # On a shared file system, the lock's file may also name a process that held it earlier.
        return LockHeldError(
            f"Another process holds {path} for more than {seconds:.0f} s.",
            f"It may be stopped: let it continue, or end it. {advice}".strip(),
        )
    return LockHeldError(
        f"Another process, {holder.pid}, holds {path} for more than {seconds:.0f} s.",
        f"It may be stopped. Let it continue: kill -CONT {holder.pid}. Or end it. {advice}".strip(),
    )
