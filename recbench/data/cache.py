"""Where fetched data and built tasks are kept, and how a file gets there whole or not at all."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from recbench.errors import RecbenchError
from recbench.path_checks import check_no_file_above
from recbench.process_locks import lock_held
from recbench.system_errors import advice_to_write, reason
from recbench.temporary_files import remove_leftovers, temporary_file

HOME_VARIABLE = "RECBENCH_HOME"
LOCK_SECONDS = 60
PLACES = (
    "Choose a folder that you may write to, on a disk with free space. For results: -o FOLDER. "
    f"For the cache: export {HOME_VARIABLE}=FOLDER"
)


def home() -> Path:
    """Returns the cache folder: ``$RECBENCH_HOME``, else the platform's cache folder for recbench.

    Raises:
        RecbenchError: It lies in a user's home folder, which is not known.
    """
    override = os.environ.get(HOME_VARIABLE)
    try:
        folder = Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("recbench"))
    except RuntimeError as error:
        raise _no_home(override) from error
    # Earlier versions of platformdirs leave the sign of an unknown home folder in the path: a folder "~" of the working
    # folder would be made.
    if folder.parts and folder.parts[0].startswith("~"):
        raise _no_home(override)
    return folder


def _no_home(override: str | None) -> RecbenchError:
    user = Path(override).parts[0].removeprefix("~") if override else ""
    return RecbenchError(
        f"{HOME_VARIABLE}={override} is in the home folder of the user {user!r}, which is unknown."
        if user
        else "The cache folder is unknown: this user has no home folder, because HOME is not set.",
        f"Set the cache folder: export {HOME_VARIABLE}=/path/to/a/folder",
    )


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``target``, which takes its place if the block ends without an error.

    The file is flushed to the disk before it is renamed, so that after a crash or a killed process the target is
    either the old file or the whole new one. A link stays a link: the file that it leads to is replaced.

    Raises:
        RecbenchError: The folder cannot be written, or the disk is full. The target is what it was.
    """
    check_no_file_above(target.parent, PLACES)
    with write_errors(target):
        place = _followed(target)
        place.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(place.parent)
        with temporary_file(place.parent) as temporary:
            yield temporary
            flush(temporary)
            temporary.replace(place)
        flush(place.parent)


def move_into_place(source: Path, target: Path) -> None:
    """Moves a file, whole or not at all; its content is flushed to the disk first.

    Raises:
        RecbenchError: The folder cannot be written, or the disk is full.
    """
    place = _followed(target)
    with write_errors(target):
        place.parent.mkdir(parents=True, exist_ok=True)
        flush(source)
        replace_file(source, place)
        flush(place.parent)


def replace_file(source: Path, target: Path) -> None:
    """Moves a file to where another one may be; also if the two lie on different file systems.

    Raises:
        OSError: The system refuses it.
    """
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
        source.unlink()


@contextlib.contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Keeps other commands of this user from changing a file meanwhile; the lock's own file is in the cache.

    Raises:
        RecbenchError: Another process keeps the lock, or the cache cannot be written.
    """
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    lock = home() / "locks" / f"{key}.lock"
    holding = lock_held(lock, LOCK_SECONDS)
    with write_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        holding.__enter__()
    try:
        yield
    finally:
        holding.__exit__(None, None, None)


def remove_leftovers_in_cache() -> None:
    """Removes from the cache what processes that were killed have left of their writes and downloads."""
    for folder in ("tasks/*", "datasets", "datasets/*"):
        for path in home().glob(folder):
            remove_leftovers(path)


@contextlib.contextmanager
def write_errors(target: Path) -> Iterator[None]:
    """Turns an error of the system in the block, which writes a file or a folder, into an error for the user.

    Raises:
        RecbenchError: It cannot be written. An error about a file in another folder, such as the source of
            a copy, is passed on as it is.
    """
    try:
        yield
    except OSError as error:
        if _is_elsewhere(error, target):
            raise
        raise RecbenchError(f"Cannot write {target}: {reason(error)}.", advice_to_write(error, PLACES)) from error


def _is_elsewhere(error: OSError, target: Path) -> bool:
    if not isinstance(error.filename, str | bytes | os.PathLike):
        return False
    path = Path(os.fsdecode(error.filename)).absolute()
    locations = {location.absolute() for location in (target, _followed(target))}
    return not any(
        path in (location, *location.parents) or path.is_relative_to(location.parent) for location in locations
    )


def _followed(target: Path) -> Path:
    """Returns the file that a link leads to; of any other path, itself."""
    return target.resolve() if target.is_symlink() else target


def flush(path: Path) -> None:
    """Flushes a file or a folder to the disk.

    Raises:
        OSError: The disk cannot take the content of the file.
    """
    if path.is_dir():
        # Windows opens no folders, and some file systems flush none. Its files are in their places all the same.
        with contextlib.suppress(OSError):
            _flush(path, os.O_RDONLY)
    else:
        _flush(path, os.O_RDWR)


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
