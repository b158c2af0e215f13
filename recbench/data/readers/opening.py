"""The bytes of a ratings file: plain, gzip, or a member of a zip archive."""

import gzip
import itertools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from recbench.errors import RecbenchError

BLOCK = 2**24
UNIT_SEPARATOR = b"\x1f"
"""Replaces a separator of several characters, which the fast parser does not accept."""


def is_zip(path: Path) -> bool:
    """Whether the file is a zip archive."""
    return _begins_with(path, b"PK\x03\x04") or _begins_with(path, b"PK\x05\x06")


@contextmanager
def opened(path: Path, member: str | None = None) -> Iterator[BinaryIO]:
    """Opens a file, its uncompressed content if it is gzip, or a member of a zip archive, itself plain or gzip.

    Args:
        path: The file.
        member: Which member of an archive; may be left out if there is one only.

    Raises:
        RecbenchError: An archive has no such member, or more than one and none is named.
        OSError, EOFError, zlib.error, zipfile.BadZipFile: It cannot be read; also raised while reading.
    """
    if is_zip(path):
        with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive, member)) as inner:
            if inner.name.endswith(".gz"):
                with gzip.open(inner) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield cast(BinaryIO, inner)
    elif _begins_with(path, b"\x1f\x8b"):
        with gzip.open(path) as unpacked:
            yield cast(BinaryIO, unpacked)
    else:
        with path.open("rb") as plain:
            yield plain


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    members = [name for name in archive.namelist() if not name.endswith("/")]
    if member is not None and member in members:
        return member
    if member is None and len(members) == 1:
        return members[0]
    problem = f"no member {member!r}" if member else f"{len(members)} members"
    raise RecbenchError(
        f"The archive {path} holds {problem}: {', '.join(members[:20])}{', ...' if len(members) > 20 else ''}.",
        "Name the member that holds the ratings: --member NAME. Or unpack the archive.",
    )


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def lines(path: Path, member: str | None) -> Iterator[bytes]:
    """Yields every line, its end included."""
    with opened(path, member) as file:
        yield from file


def line_number(path: Path, member: str | None, nth: int) -> int:
    """Returns the number, from 1, of the n-th line (from 0) that is not blank."""
    filled = (number for number, line in enumerate(lines(path, member), start=1) if line.strip())
    return next(itertools.islice(filled, nth, None), nth + 1)


def first_line(path: Path, member: str | None, encoding: str) -> str:
    """Returns the first line that is not blank; an empty text if there is none."""
    encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    return next((line for line in lines(path, member) if line.strip()), b"").decode(encoding).rstrip("\r\n")


def blocks_of_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yields the file in blocks that end where a line ends."""
    rest = b""
    while block := file.read(BLOCK):
        whole, newline, begun = block.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = begun
        else:
            rest += block
    if rest:
        yield rest


class WithUnitSeparator:
    """A file in which a separator of several characters is read as ``UNIT_SEPARATOR``."""

    closed = False

    def __init__(self, file: BinaryIO, separator: bytes) -> None:
        self._file = file
        self._separator = separator

    def read(self, size: int = BLOCK) -> bytes:
        """Reads ``size`` bytes or a few more, so that no block ends within a separator.

        Raises:
            ValueError: The file holds a unit separator of its own.
        """
        block = self._file.read(size)
        while block.endswith(self._separator[:1]) and (more := self._file.read(1)):
            block += more
        if UNIT_SEPARATOR in block:
            raise ValueError("it holds the control character 0x1f")
        return block.replace(self._separator, UNIT_SEPARATOR)

    def close(self) -> None:
        """Does nothing: the caller who opened the file closes it."""
