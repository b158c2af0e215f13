"""The bytes of a ratings file: as they are, unpacked, or a member of an archive; and files of other kinds, by name."""

import bz2
import gzip
import lzma
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word

BLOCK = 2**24
"""Bytes that are read at a time."""
HEAD: Final = 2**20
"""So many bytes at the start show what a file is."""
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
PARQUET: Final = b"PAR1"
PARQUET_SUFFIXES: Final = (".parquet", ".pq")
MOST_LAYERS: Final = 4
"""A file may be packed several times, such as a gzip file within an archive."""


class Packing(Protocol):
    """Opens a packed file."""

    def __call__(self, file: IO[bytes], /) -> Any:
        """Returns a file that holds the unpacked bytes."""


def _zstandard(file: IO[bytes]) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")


PACKINGS: Final[dict[bytes, tuple[str, Packing]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstandard),
}


@dataclass(frozen=True, slots=True)
class _Foreign:
    """A kind of file that is not read.

    Attributes:
        start: What it begins with.
        what: Its name, with an article.
        advice: What to do; ``{file}`` stands for the path.
        at: Where ``start`` stands.
    """

    start: bytes
    what: str
    advice: str
    at: int = 0


_CONVERT: Final = (
    "Convert it: python -c 'import sys, pandas; pandas.{reader}(sys.argv[1]).to_parquet(sys.argv[2])' "
    "{file} ratings.parquet"
)
_UNPACK: Final = "Unpack it and give the file with the ratings: {command} {file}"
_EXPORT: Final = "Export the ratings as CSV or Parquet."


def _unpack(command: str) -> str:
    return _UNPACK.replace("{command}", command)


def _convert(reader: str) -> str:
    return _CONVERT.replace("{reader}", reader)


_FOREIGN: Final = (
    _Foreign(b"7z\xbc\xaf\x27\x1c", "a 7z archive", _unpack("7z x")),
    _Foreign(b"Rar!\x1a\x07", "a RAR archive", _unpack("unrar x")),
    _Foreign(b"ustar", "a tar archive", _unpack("tar -xf"), at=257),
    _Foreign(b"\x1f\x9d", "compressed by compress", _unpack("uncompress")),
    _Foreign(b"\x04\x22\x4d\x18", "compressed by lz4", _unpack("lz4 -d")),
    _Foreign(b"\xff\x06\x00\x00sNaPpY", "compressed by Snappy", _unpack("snzip -d")),
    _Foreign(b"PARE", "an encrypted Parquet file", "Write it without encryption."),
    _Foreign(b"ORC", "an ORC file", _convert("read_orc")),
    _Foreign(b"ARROW1", "an Arrow or Feather file", _convert("read_feather")),
    _Foreign(b"FEA1", "a Feather file", _convert("read_feather")),
    _Foreign(b"Obj\x01", "an Avro file", _EXPORT),
    _Foreign(b"\x89HDF\r\n\x1a\n", "an HDF5 file", _convert("read_hdf")),
    _Foreign(b"SQLite format 3\x00", "an SQLite database", _EXPORT),
    _Foreign(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook", _convert("read_excel")),
    _Foreign(b"\x93NUMPY", "a NumPy array", _EXPORT),
    *(_Foreign(b"\x80" + bytes([n]), "a pickle", _EXPORT) for n in (2, 3, 4, 5)),
    _Foreign(b"MATLAB 5.0 MAT-file", "a MATLAB file", _EXPORT),
    _Foreign(b"%PDF", "a PDF", _EXPORT),
    _Foreign(b"\x89PNG", "a picture", "Check the path."),
    _Foreign(b"recbench-task-", "a recbench task", "See: recbench task export --help"),
)
_BY_MEMBER: Final = {
    "[Content_Types].xml": ("an Excel workbook or another Office document", _convert("read_excel")),
    "mimetype": ("an OpenDocument file", _convert("read_excel")),
}
_CLUTTER: Final = ("__MACOSX/", ".DS_Store", "Thumbs.db")


class Content:
    """The unpacked bytes of a file.

    Args:
        file: The file; only its ``read`` is used.
        packings: How the bytes were packed, the outermost packing first.
    """

    def __init__(self, file: IO[bytes], packings: tuple[str, ...]) -> None:
        self._file = file
        self._head = b""
        self.packings = packings
        self.closed = False

    def head(self, size: int = HEAD) -> bytes:
        """Returns the first bytes, at most ``size``; they can still be read."""
        while len(self._head) < size and (more := self._file.read(size - len(self._head))):
            self._head += more
        return self._head[:size]

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes, at most ``size``; none at the end."""
        if not self._head:
            return self._file.read(size)
        size = len(self._head) if size < 0 else size
        part, self._head = self._head[:size], self._head[size:]
        return part

    def close(self) -> None:
        """Does nothing: the caller who opened the file closes it."""


@contextmanager
def opened(path: Path, member: str | None = None) -> Iterator[Content]:
    """Opens a file and unpacks it: gzip, bzip2, xz, zstd, or a member of a zip archive, itself packed or not.

    Args:
        path: The file.
        member: Which member of an archive; may be left out if there is one only.

    Raises:
        RecbenchError: An archive has no such member, or more than one and none is named; or the file is of a kind that
            is not read.
        OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile: It cannot be read; also raised while reading.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        packings: tuple[str, ...] = ()
        start = file.read(len(ZIP[0]))
        file.seek(0)
        if start in ZIP:
            archive = stack.enter_context(zipfile.ZipFile(file))
            packings = ("zip",)
            name = _member(path, archive, member)
            try:
                content = Content(stack.enter_context(archive.open(name)), packings)
            # The archive is encrypted, or packed in a way that is not known.
            except (RuntimeError, NotImplementedError) as error:
                raise RecbenchError(
                    f"{path} cannot be read: {error}.", "Unpack the archive with another program."
                ) from error
        else:
            content = Content(file, packings)
        for _ in range(MOST_LAYERS):
            head = content.head(16)
            packing = next((PACKINGS[magic] for magic in PACKINGS if head.startswith(magic)), None)
            if packing is None:
                break
            name, unpacked = packing
            packings = (*packings, name)
            content = Content(stack.enter_context(unpacked(cast(IO[bytes], content))), packings)
        _check_kind(path, content)
        yield content


def is_parquet(path: Path) -> bool:
    """Whether a file is in the Parquet format."""
    with path.open("rb") as file:
        head = file.read(512)
        if not head.startswith(PARQUET):
            return False
        file.seek(-len(PARQUET), os.SEEK_END)
        # Text may begin with these letters too.
        return b"\x00" in head or path.suffix in PARQUET_SUFFIXES or file.read() == PARQUET


def _check_kind(path: Path, content: Content) -> None:
    """Checks that the content may be text.

    Raises:
        RecbenchError: It is of a known kind that is not read.
    """
    head = content.head(512)
    within = f" within {' and '.join(content.packings)}" if content.packings else ""
    if head.startswith(PARQUET) and content.packings:
        raise RecbenchError(
            f"{path} is a Parquet file{within}.", "Unpack it first: Parquet files have their own compression."
        )
    if head.startswith(ZIP):
        raise RecbenchError(f"{path} is a zip archive{within}.", "Unpack the inner archive.")
    # Text may begin like some of these files, but holds no zero byte.
    for kind in _FOREIGN if b"\x00" in head or not head.isascii() else ():
        if head[kind.at :].startswith(kind.start):
            raise RecbenchError(f"{path} is {kind.what}{within}, not text or Parquet.", _advice(kind.advice, path))


def _advice(advice: str, path: Path) -> str:
    return advice.replace("{file}", shell_word(str(path)))


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    names = archive.namelist()
    for name, (what, advice) in _BY_MEMBER.items():
        if member is None and name in names:
            raise RecbenchError(f"{path} is {what}, not text or Parquet.", _advice(advice, path))
    members = [name for name in names if not name.endswith("/") and not _is_clutter(name)]
    if member is not None and member in names:
        return member
    if member is None and len(members) == 1:
        return members[0]
    if not members:
        raise RecbenchError(f"The archive {path} is empty.", "Give an archive that holds the ratings.")
    problem = f"no member {member!r}" if member else f"{len(members)} members"
    raise RecbenchError(
        f"The archive {path} holds {problem}: {', '.join(members[:20])}{', ...' if len(members) > 20 else ''}.",
        "Name the member that holds the ratings: --member NAME. Or unpack the archive.",
    )


def _is_clutter(name: str) -> bool:
    return name.startswith(_CLUTTER[0]) or name.rpartition("/")[2] in _CLUTTER[1:]
