"""Locks of open files, which the system frees when a process ends."""

import errno
import os
from contextlib import suppress
from typing import Final

try:
    import fcntl
except ImportError:  # Windows has no such locks, and does not remove a file that a process has open or mapped.
    fcntl = None  # type: ignore[assignment]

WINDOWS_LOCKED_BYTE: Final = 2**30


def has_use_locks() -> bool:
    """Whether a lock keeps a file that is in use. Where it does not, the system itself keeps such a file."""
    return fcntl is not None


def lock_in_use(descriptor: int) -> None:
    """Marks an open file as in use until its descriptor and all maps of it are closed."""
    # Not every network file system has locks.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def lock_if_unused(descriptor: int) -> bool:
    """Locks an open file, unless a process uses it; returns whether none does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # The file system has no locks.
        return True
    return True


def lock_exclusively(descriptor: int) -> bool | None:
    """Locks an open file without waiting. The system frees the lock when the process ends, however it ends.

    Returns:
        Whether this process has the lock now; None if the file system, such as some network file systems, has no locks.

    Raises:
        OSError: The system refuses for another reason.
    """
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            # Far beyond the end: on Windows, no other process can read bytes that are locked.
            os.lseek(descriptor, WINDOWS_LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL):
            return None
        raise
    return True
