"""Which files of the cache are in use, and when each was used last.

A process that maps a task's file holds a shared lock on it, which the system frees with the last map or with the
process. A file with such a lock is never removed. The time of the last use is the file's time of modification.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from recbench.operating_system.file_locks import has_use_locks, lock_if_unused, lock_in_use

_held: dict[Path, int] = {}
"""The descriptors of files that this process uses until it ends."""


def share(descriptor: int, path: Path) -> None:
    """Marks an open file as in use until its descriptor and all maps of it are closed.

    Raises:
        FileNotFoundError: The file was removed after it was opened.
    """
    if has_use_locks():
        lock_in_use(descriptor)
    path.lstat()


def hold(path: Path) -> None:
    """Marks a file as in use until this process ends, for processes that it starts read the file later."""
    if not has_use_locks():
        return
    # The process that reads the file later marks it itself. Until then, the mark is a courtesy.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        share(descriptor, path)
        # The file may have been replaced since it was held.
        before, _held[path] = _held.get(path), descriptor
        if before is not None:
            os.close(before)


def record_use(path: Path) -> None:
    """Notes that a file was used now. A file that may not be written keeps its old time."""
    # See above: a file of another user, or a read-only disk.
    with contextlib.suppress(OSError):
        os.utime(path)


@contextlib.contextmanager
def exclusively(path: Path) -> Iterator[bool]:
    """Yields whether no process uses the file; none can begin to use it within the block.

    Raises:
        OSError: The file cannot be opened.
    """
    if not has_use_locks() or path.is_symlink():
        yield True
        return
    descriptor = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)
    try:
        yield lock_if_unused(descriptor)
    finally:
        os.close(descriptor)
