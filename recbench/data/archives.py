"""Named arrays from an untrusted .npz file: plain data only, whatever its bytes say."""

import io
import struct
import zipfile
import zlib
from collections.abc import Container, Iterable
from functools import lru_cache
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

MOST_HEADER_BYTES: Final = 2**12
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
"""Of a member of a zip file: the signature, and the lengths of the name and of the extra field that follow."""
_ENCRYPTED: Final = 0x1

Int32Vector = npt.NDArray[np.int32]


class DamagedArchiveError(ValueError):
    """It is not a file of arrays, or not a whole one."""


def read_npz(file: IO[bytes]) -> dict[str, npt.NDArray[Any]]:
    """Reads all arrays; nothing is unpickled.

    Args:
        file: The content of an .npz, seekable.

    Raises:
        DamagedArchiveError: It is not one, its checksums do not fit, or a member is anything but an array of plain
            numbers or text.
    """
    # Before, so that an error of the system is none of the archive.
    content = io.BytesIO(file.read())
    try:
        with np.load(content, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    # Right for every class: these lines only parse bytes in memory. What a damaged file makes zipfile, zlib and numpy
    # raise is no closed set: NotImplementedError, RuntimeError, tokenize.TokenError, MemoryError for a shape that
    # nothing can hold, and more with each version.
    except Exception as error:
        raise DamagedArchiveError(f"{type(error).__name__}: {error}") from error
    for name, array in arrays.items():
        # A member that does not begin like an array comes as its bare bytes.
        if not isinstance(array, np.ndarray):
            raise DamagedArchiveError(f"its member {name!r} is not an array")
    return arrays


class VectorReader:
    """Reads vectors of int32 from one .npz or from many.

    It keeps the latest vector of each name that files are expected to share. A file with the same bytes there gets the
    same, read-only, array: reading is faster, and many files take less memory.
    """

    def __init__(self, shared: Container[str] = ()) -> None:
        """Makes a reader.

        Args:
            shared: The vectors that most files have in common.
        """
        self._shared = shared
        self._latest: dict[str, tuple[tuple[int, int, bytes], Int32Vector]] = {}

    def read(self, content: bytes, names: Iterable[str], most: int) -> dict[str, Int32Vector]:
        """Reads the named vectors of an .npz, each of int32, and nothing else of what is in it.

        It takes no more memory than these vectors may take, whatever the file says: sizes are checked before anything
        is decompressed.

        Args:
            content: The content of the .npz.
            names: The vectors; those that are not there are left out.
            most: Their largest length.

        Raises:
            DamagedArchiveError: It is no .npz, its checksums do not fit, or a named member is no such vector.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = {info.filename: info for info in archive.infolist()}
                return {
                    name: self._vector(name, content, archive, member, most)
                    for name in names
                    if (member := members.get(f"{name}.npy")) is not None
                }
        except DamagedArchiveError:
            raise
        # Right for every class, as in ``read_npz``: these lines only parse bytes in memory.
        except Exception as error:
            raise DamagedArchiveError(f"{type(error).__name__}: {error}") from error

    def _vector(
        self, name: str, content: bytes, archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int
    ) -> Int32Vector:
        if member.file_size > most * np.dtype(np.int32).itemsize + MOST_HEADER_BYTES:
            raise DamagedArchiveError(f"its member {member.filename!r} is longer than {most:,} numbers")
        stored = _stored_bytes(content, member)
        if stored is None:
            return _parsed(archive.read(member), member.filename)
        key = member.compress_type, member.CRC, stored
        if name in self._latest and self._latest[name][0] == key:
            return self._latest[name][1]
        whole = _decompressed(stored, member)
        vector = _parsed(archive.read(member) if whole is None else whole, member.filename)
        if name in self._shared and whole is not None:
            self._latest[name] = key, vector
        return vector


def _stored_bytes(content: bytes, member: zipfile.ZipInfo) -> bytes | None:
    """Returns the bytes of a member as they are stored; None if it is no plain member, which ``zipfile`` then judges.

    ``zipfile`` takes several times as long, for it opens each member as a file.
    """
    start = member.header_offset
    if not 0 <= start <= len(content) - _LOCAL_HEADER.size:
        return None
    signature, n_name, n_extra = _LOCAL_HEADER.unpack_from(content, start)
    begin = start + _LOCAL_HEADER.size
    if signature != b"PK\3\4" or member.flag_bits & _ENCRYPTED:
        return None
    if content[begin : begin + n_name] != member.orig_filename.encode():
        return None
    begin += n_name + n_extra
    return content[begin : begin + member.compress_size]


def _decompressed(stored: bytes, member: zipfile.ZipInfo) -> bytes | None:
    """Returns the content of a member; None if it is not what the archive says of it."""
    if member.compress_type == zipfile.ZIP_DEFLATED:
        # One byte more than it should have: enough to notice, and no endless stream.
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stored, member.file_size + 1)
    elif member.compress_type == zipfile.ZIP_STORED:
        content = stored
    else:
        return None
    return content if len(content) == member.file_size and zlib.crc32(content) == member.CRC else None


@lru_cache(maxsize=64)
def _header(start: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Reads the start of a member. Most records of a folder have the same, and to parse it costs more than all else.

    Returns:
        The shape, the type, and where the numbers begin.
    """
    file = io.BytesIO(start)
    major, _ = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    return shape, dtype, file.tell()


def _parsed(content: bytes, name: str) -> Int32Vector:
    """Returns the vector of a member."""
    length = int.from_bytes(content[8:10], "little") + 10 if content[6:7] == b"\x01" else len(content)
    shape, dtype, offset = _header(content[:length])
    if len(shape) != 1 or dtype != np.int32:
        raise DamagedArchiveError(f"its member {name!r} is {dtype}{list(shape)}, not a vector of int32")
    vector: Int32Vector = np.frombuffer(content, np.int32, offset=offset)
    if shape != vector.shape:
        raise DamagedArchiveError(f"its member {name!r} ends early")
    return vector
