"""The file for all that a trial's process prints, one a trial, which cannot fill the disk."""

import os
from pathlib import Path

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


def cut(path: Path) -> None:
    """Cuts the middle out of a log that has grown beyond ``MOST_BYTES``, even while its process writes.

    What is written between reading the end and cutting it off is lost, and the log says that something is.
    """
    try:
        size = path.stat().st_size
        if size <= MOST_BYTES:
            return
        with path.open("rb+", buffering=0) as file:
            file.seek(size - KEPT_BYTES)
            end = file.read(KEPT_BYTES)
            file.truncate(KEPT_BYTES)
            # To the end: the process may have written meanwhile.
            file.seek(0, os.SEEK_END)
            file.write(b"\n[... %d bytes left out ...]\n" % (size - 2 * KEPT_BYTES) + end)
    except OSError:
        # A full disk, most likely: the log is the last thing to need it.
        return


def tail(path: Path) -> tuple[str, ...]:
    """Returns the last lines of a log; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            content = file.read()
    except OSError:
        # The tail is for people only; the record says how the trial ended.
        return ()
    return tuple(content.decode("utf-8", errors="replace").splitlines()[-TAIL_LINES:])
