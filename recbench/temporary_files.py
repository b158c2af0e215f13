"""Temporary files and folders: locked while their process lives, so that those of killed processes can be removed.

Their names say that they are recbench's. A file of anybody else is never removed.
"""

import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from recbench.operating_system.file_locks import has_use_locks, lock_exclusively

TEMPORARY_NAME: Final = re.compile(r"\.recbench-[0-9a-f]{16}\.tmp")
SECONDS_WITHOUT_LOCKS: Final = 24 * 3600
"""Where the file system has no locks, younger files may belong to a process that still runs."""
TEMPORARY_FOLDER_VARIABLES: Final = ("TMPDIR", "TEMP", "TMP")
"""Where POSIX and Windows programs look for the temporary folder; Python looks at all of them."""


@contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """Yields an empty file in a folder, and removes it after the block, if it is still there.

    Raises:
        OSError: It cannot be made.
    """
    with _locked(folder, _make_file) as path:
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Yields an empty folder in another, and removes it after the block with all that is in it, if it is still there.

    Raises:
        OSError: It cannot be made.
    """
    with _locked(parent, _make_folder) as path:
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def own_temporary_folder() -> Iterator[Mapping[str, str]]:
    """Yields the environment variables that give a process a temporary folder of its own, removed after the block.

    Programs that are ended before they clear up leave files in the temporary folder; TensorFlow leaves some for each
    function that it compiles. Without a folder in which one can be made, the process shares everybody's.
    """
    with ExitStack() as made:
        variables = {}
        # Few models need one.
        with suppress(OSError):
            parent = Path(tempfile.gettempdir())
            remove_leftovers(parent)
            folder = made.enter_context(temporary_folder(parent))
            # Frameworks run code from there, and others may write to its parent.
            folder.chmod(stat.S_IRWXU)
            variables = dict.fromkeys(TEMPORARY_FOLDER_VARIABLES, str(folder))
        yield variables


def shared_temporary_folder() -> str:
    """Returns the temporary folder of all programs, also in a process that has one from ``own_temporary_folder``."""
    folder = Path(tempfile.gettempdir())
    return str(folder.parent if TEMPORARY_NAME.fullmatch(folder.name) else folder)


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


def _make_file(path: Path) -> int:
    # Not tempfile: its files are closed to everyone but their owner, and would stay so.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)


def _make_folder(path: Path) -> int | None:
    path.mkdir()
    # Another process may have taken it for a leftover.
    with suppress(FileNotFoundError):
        return _open(path)
    return None


@contextmanager
def _locked(folder: Path, make: Callable[[Path], int | None]) -> Iterator[Path]:
    """Makes a file or folder with a new name in ``folder``, and holds its lock during the block.

    Args:
        folder: Where.
        make: Makes it, and opens it, if the system opens such a thing.
    """
    is_locked = False
    while not is_locked:
        path = folder / f".recbench-{secrets.token_hex(8)}.tmp"
        descriptor = make(path)
        is_locked = _lock(descriptor, path)
    if descriptor is not None and not has_use_locks():
        # Windows renames no file that is open.
        os.close(descriptor)
        descriptor = None
    try:
        yield path
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int | None, path: Path) -> bool:
    """Locks a new file or folder; closes it if another process has removed it before it was locked."""
    locked = None
    # Not every file system has locks.
    with suppress(OSError):
        locked = None if descriptor is None else lock_exclusively(descriptor)
    if locked is not False and path.exists():
        return True
    if descriptor is not None:
        os.close(descriptor)
    return False


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
