"""Changes of several files at once, such as those of an acceptance: all of them, or none.

New contents are written below ``.recbench``, a folder of the results that git ignores. Once all are on the disk, one
file, the journal, is renamed into place: it lists what must be moved and removed. Whatever ends the process before
that leaves the old files. If the process ends after that, the next command moves the rest. Both happen under one lock,
which ends with the process that holds it.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from recbench.data.cache import replace_file
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.path_checks import check_no_file_above, check_no_folder
from recbench.process_locks import lock_held
from recbench.records.interruption import uninterrupted

WORK: Final = ".recbench"
JOURNAL: Final = "journal.json"
LOCK: Final = "results.lock"
LOCK_SECONDS: Final = 60
IGNORE_ALL: Final = "*\n"
"""What the file ``.gitignore`` of the work folder says; it covers that file too."""

_LEFT = re.compile(r"\..+\.(json|npz|jsonl|md|gitignore|gitattributes)\.[0-9a-f]{16}\.tmp")
"""A file that an earlier version of recbench has left below the results."""


class Transaction:
    """Files that will be written and removed together.

    Args:
        folder: The folder of the results.
        staged: The folder for new contents.
    """

    def __init__(self, folder: Path, staged: Path) -> None:
        self._folder = folder
        self._staged = staged
        self._writes: dict[Path, Path] = {}
        self._removals: dict[Path, None] = {}

    def write(self, path: Path, content: bytes) -> None:
        """Writes a file; its folder is made if it does not exist.

        Raises:
            RecbenchError: The path is that of a folder, the folder cannot be written, or the disk is full.
        """
        check_no_folder(path, "Move that folder to another place.")
        check_no_file_above(path.parent, "Move that file to another place.")
        _check_writable(path)
        with _system_errors(path):
            self._staged.mkdir(exist_ok=True)
            staged = self._staged / str(len(self._writes))
            with staged.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        self._writes[path] = staged
        self._removals.pop(path, None)

    def remove(self, path: Path) -> None:
        """Removes a file, unless it is also written."""
        if path not in self._writes:
            self._removals[path] = None

    def commit(self) -> None:
        """Makes all changes.

        Raises:
            RecbenchError: A file cannot be written. Nothing has changed, or the next command makes the other changes.
        """
        moves = list(self._writes.items())
        if not moves and not self._removals:
            return
        if len(moves) == 1 and not self._removals:
            ((path, staged),) = moves
            with _system_errors(path):
                _move(staged, path)
            return
        work = self._staged.parent
        entries = {
            "moves": [[self._relative(path), f"{self._staged.name}/{staged.name}"] for path, staged in moves],
            "removals": [self._relative(path) for path in self._removals],
        }
        with _system_errors(work / JOURNAL):
            self._staged.mkdir(exist_ok=True)
            draft = self._staged / JOURNAL
            with draft.open("w", encoding="utf-8", newline="\n") as file:
                json.dump(entries, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(work / JOURNAL)
        _apply(self._folder, entries)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


@contextmanager
def transaction(folder: Path) -> Iterator[Transaction]:
    """Holds the lock of a folder of results, and makes all changes of the block when it ends without an error.

    Files that commands which were killed have left are finished or removed first.

    Args:
        folder: The folder of the results, such as ``results``; made if it does not exist.

    Raises:
        RecbenchError: The folder cannot be written, or another process keeps the lock.
    """
    with _working(folder) as work:
        changes = Transaction(folder, work / f"staged-{secrets.token_hex(8)}")
        try:
            yield changes
            with uninterrupted():
                changes.commit()
        finally:
            if not (work / JOURNAL).exists():
                _remove_staged(work)


def finish_interrupted(folder: Path) -> None:
    """Makes the changes that a killed command had decided on and not made, if there are any.

    Args:
        folder: The folder of the results; it need not exist.

    Raises:
        RecbenchError: They cannot be made.
    """
    if (folder / WORK / JOURNAL).is_file():
        with _working(folder):
            pass


@contextmanager
def _working(folder: Path) -> Iterator[Path]:
    """Holds the lock, with nothing left by other commands; yields the work folder."""
    check_no_file_above(folder, "Move that file to another place.")
    work = folder / WORK
    with _system_errors(work):
        work.mkdir(parents=True, exist_ok=True)
        ignore = work / ".gitignore"
        if not ignore.is_file() or ignore.read_text(encoding="utf-8") != IGNORE_ALL:
            ignore.write_text(IGNORE_ALL, encoding="utf-8", newline="\n")
    with _lock(work):
        _finish(folder)
        _remove_staged(work)
        _remove_left(folder)
        yield work


@contextmanager
def _lock(work: Path) -> Iterator[None]:
    holding = lock_held(work / LOCK, LOCK_SECONDS)
    with _system_errors(work / LOCK):
        holding.__enter__()
    try:
        yield
    finally:
        holding.__exit__(None, None, None)


def _finish(folder: Path) -> None:
    journal = folder / WORK / JOURNAL
    try:
        entries = json.loads(journal.read_text(encoding="utf-8"))
        _check(entries)
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecbenchError(
            f"A command was ended while it changed files below {folder}, and {journal} cannot be read: {error}.",
            f"See what has changed: git status {shell_word(folder)}. Then remove that file.",
        ) from error
    _apply(folder, entries)


def _check(entries: Any) -> None:
    """Checks that a journal, which anybody may have put there, stays below the folder.

    Raises:
        ValueError: It does not.
        KeyError, TypeError: It is no journal.
    """
    for path, staged in entries["moves"]:
        if not re.fullmatch(r"staged-[0-9a-f]{16}/[0-9]+", staged):
            raise ValueError(f"{staged!r} is not a file of recbench")
        _check_below(path)
    for path in entries["removals"]:
        _check_below(path)


def _check_below(path: str) -> None:
    components = Path(path).parts
    if not components or ".." in components or Path(path).is_absolute():
        raise ValueError(f"{path!r} is not below the folder")


def _apply(folder: Path, entries: Any) -> None:
    """Makes the changes of a journal that are not made yet, and removes the journal."""
    work = folder / WORK
    try:
        # An old record goes before new ranks come, so that no record ever stands beside ranks that are not its own.
        for path in entries["removals"]:
            (folder / path).unlink(missing_ok=True)
        for path, staged in entries["moves"]:
            # What is not there any more has been moved before.
            if (work / staged).exists():
                _move(work / staged, folder / path)
        for parent in {(folder / path).parent for path, _ in entries["moves"]}:
            _sync(parent)
        (work / JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        raise RecbenchError(
            f"Not all files below {folder} could be changed: {error.filename or folder}: {error.strerror or error}.",
            "Correct that. The next recbench command here changes the others; for example: recbench baseline list",
        ) from error


def _move(staged: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A link stays a link: the file that it leads to is replaced.
    replace_file(staged, path.resolve() if path.is_symlink() else path)


def _sync(folder: Path) -> None:
    # Windows opens no folders.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_staged(work: Path) -> None:
    for left in work.glob("staged-*"):
        shutil.rmtree(left, ignore_errors=True)


def _remove_left(folder: Path) -> None:
    """Removes the temporary files of earlier versions, which git sees."""
    for left in (*folder.glob(".*.tmp"), *folder.glob("baselines/*/*/.*.tmp")):
        if _LEFT.fullmatch(left.name):
            # Litter in the way of nothing; the next command tries again.
            with suppress(OSError):
                left.unlink()


def _check_writable(path: Path) -> None:
    """Checks that a file can be put there: later, half of the changes would be made."""
    nearest = _nearest_folder(path)
    if not os.access(nearest, os.W_OK):
        raise RecbenchError(
            f"Cannot write {path}: the folder {nearest} is read-only.",
            f"Look at its permissions: ls -ld {shell_word(nearest)}",
        )


def _nearest_folder(path: Path) -> Path:
    """Returns the folder of a path; if it does not exist, the nearest above it that does."""
    return next(folder for folder in path.absolute().parents if folder.exists())


@contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        nearest = shell_word(_nearest_folder(path))
        raise RecbenchError(
            f"Cannot write {path}: {error.strerror or error}. Nothing has changed.",
            f"The folder must be writable, and its disk must have free space: ls -ld {nearest}; df {nearest}",
        ) from error
