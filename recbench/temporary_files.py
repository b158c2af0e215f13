"""Temporary files and folders: locked while their process lives, so that those of killed processes can be removed.

Their names say that they are recbench's. A file of anybody else is never removed.
"""

import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from recbench.operating_system import has_use_locks, lock_exclusively

TEMPORARY_NAME: Final = re.compile(r"\.recbench-[0-9a-f]{16}\.tmp")
SECONDS_WITHOUT_LOCKS: Final = 24 * 3600
"""Where the file system has no locks, younger files may belong to a process that still runs."""


@contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """Yields an empty file in a folder, and removes it after the block, if it is still there.

    Raises:
        OSError: It cannot be made.
    """
    path = _new_path(folder)
    # Not tempfile: its files are closed to everyone but their owner, and would stay so.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with _locked(descriptor):
            yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Yields an empty folder in another, and removes it after the block with all that is in it, if it is still there.

    Raises:
        OSError: It cannot be made.
    """
    path = _new_path(parent)
    path.mkdir()
    try:
        with _locked(_open(path)):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files and folders of processes that have ended; of a read-only folder, none.

    Args:
        folder: Their folder; it need not exist.
    """
    # Litter in the way of nothing; the next command tries again.
    with suppress(OSError), os.scandir(folder) as entries:
        left = [Path(entry.path) for entry in entries if TEMPORARY_NAME.fullmatch(entry.name)]
        for path in left:
            # Another file may still be removed.
            with suppress(OSError):
                _remove_if_left(path)


def is_left_over(path: Path) -> bool:
    """Whether no running process uses a temporary file or folder.

    Raises:
        OSError: It is not there, or cannot be opened.
    """
    with _left(path) as left:
        return left


def _new_path(folder: Path) -> Path:
    return folder / f".recbench-{secrets.token_hex(8)}.tmp"


@contextmanager
def _locked(descriptor: int | None) -> Iterator[None]:
    """Holds the lock of an open file during the block, and closes it."""
    if descriptor is not None:
        # Not every file system has locks.
        with suppress(OSError):
            lock_exclusively(descriptor)
        if not has_use_locks():
            # Windows renames no file that is open.
            os.close(descriptor)
            descriptor = None
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _remove_if_left(path: Path) -> None:
    with _left(path) as left:
        if left and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif left:
            path.unlink(missing_ok=True)


@contextmanager
def _left(path: Path) -> Iterator[bool]:
    """Yields whether no running process uses a temporary file or folder; none begins to within the block."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
        yield False
        return
    descriptor = _open(path)
    try:
        locked = lock_exclusively(descriptor) if descriptor is not None and has_use_locks() else None
        yield locked if locked is not None else time.time() - status.st_mtime > SECONDS_WITHOUT_LOCKS
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(path: Path) -> int | None:
    # Windows opens no folders.
    with suppress(PermissionError):
        return os.open(path, os.O_RDONLY)
    return None
