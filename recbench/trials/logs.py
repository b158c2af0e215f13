"""The file for all that a trial's process prints, one a trial, which cannot fill the disk."""

import contextlib
import io
import os
from pathlib import Path
from typing import IO

from recbench.errors import RecbenchError
from recbench.system_errors import advice_to_write, reason

FOLDER = "logs"
MOST_BYTES = 8 * 2**20
KEPT_BYTES = 2**20
TAIL_LINES = 20
TAIL_BYTES = 16 * 2**10


def log_path(record: Path) -> Path:
    """Returns the log of the trial whose record is, or will be, at ``record``."""
    return record.parent / FOLDER / f"{record.stem}.log"


def new_log(folder: Path, stem: str) -> Path:
    """Returns the empty log of a trial.

    Args:
        folder: The folder of its record.
        stem: The name of its files.

    Raises:
        RecbenchError: It cannot be written.
    """
    path = log_path(folder / f"{stem}.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    except OSError as error:
        raise RecbenchError(
            f"Cannot write the log {path}: {reason(error)}.", advice_to_write(error, "Choose another folder with -o.")
        ) from error
    return path


class Log:
    """All that a process prints, bounded: beyond ``MOST_BYTES``, only the first and the last part stay.

    It is kept in memory until it gets a file. A disk that takes no more ends the log, and nothing else.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self._written = 0

    def write(self, content: bytes) -> None:
        """Appends what has been printed."""
        # A full disk, most likely: the log is the last thing to need it.
        with contextlib.suppress(OSError):
            self._file.seek(0, os.SEEK_END)
            _write_all(self._file, content)
            self._written += len(content)
            if self._file.tell() > MOST_BYTES:
                _cut(self._file, self._written - 2 * KEPT_BYTES)

    def move_to(self, path: Path) -> None:
        """Continues the log in a file, which gets what has been printed so far."""
        # As above.
        with contextlib.suppress(OSError):
            self._file.seek(0)
            content = self._file.read()
            target = path.open("wb+", buffering=0)
            self._file.close()
            self._file = target
            _write_all(target, content)

    def tail(self) -> tuple[str, ...]:
        """Returns the last lines."""
        # The tail is for people only; the record says how the trial ended.
        with contextlib.suppress(OSError):
            return _tail(self._file)
        return ()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def cut(path: Path) -> None:
    """Cuts the middle out of a log beyond ``MOST_BYTES`` that nobody writes any more."""
    # As above.
    with contextlib.suppress(OSError), path.open("rb+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size > MOST_BYTES:
            _cut(file, size - 2 * KEPT_BYTES)


def _cut(file: IO[bytes], left_out: int) -> None:
    file.seek(-KEPT_BYTES, os.SEEK_END)
    end = file.read(KEPT_BYTES)
    file.truncate(KEPT_BYTES)
    file.seek(KEPT_BYTES)
    _write_all(file, b"\n[... %d bytes left out ...]\n" % left_out + end)


def _write_all(file: IO[bytes], content: bytes) -> None:
    """Writes to a file without a buffer, which may take a part only."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _tail(file: IO[bytes]) -> tuple[str, ...]:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    return tuple(file.read().decode("utf-8", errors="replace").splitlines()[-TAIL_LINES:])
