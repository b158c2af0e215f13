"""Hashes of files and of folders."""

import hashlib
import os
import stat
from functools import lru_cache
from pathlib import Path

LARGE = 2**20
"""Bytes from which on a file is read once for all trials of a run that list it."""


def file_hash(file: str) -> str | None:
    """Returns the SHA-256 of a file, in hexadecimal; None if there is no such file or it cannot be read."""
    try:
        status = Path(file).stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size < LARGE:
            return _hash(file)
        return _hash_of_large(file, status.st_size, status.st_mtime_ns)
    except (OSError, ValueError):
        # Whoever asks reports a missing or unreadable file, and keeps no record of it.
        return None


def folder_hash(folder: str) -> str | None:
    """Returns a hash of the names and the bytes of the files in a folder; None if there is no such folder."""
    try:
        files = sorted(file for file in Path(folder).iterdir() if file.is_file())
    except OSError:
        # As above.
        return None
    lines = [f"{file_hash(str(file))} {os.fsencode(file.name)!r}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@lru_cache(maxsize=256)
def _hash_of_large(file: str, size: int, modified: int) -> str:  # noqa: ARG001 - a changed file is another entry
    return _hash(file)


def _hash(file: str) -> str:
    if file.endswith(".py"):
        # git on Windows checks text out with other line ends, and it is still the same code.
        return hashlib.sha256(Path(file).read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    with Path(file).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
