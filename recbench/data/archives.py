"""Named arrays from an untrusted .npz file: plain data only, whatever its bytes say."""

import io
import zipfile
from collections.abc import Iterable
from functools import lru_cache
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

MOST_HEADER_BYTES: Final = 2**12


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
            raise DamagedArchiveError(f"its member {name!r} is no array")
    return arrays


def read_vectors(content: bytes, names: Iterable[str], most: int) -> dict[str, npt.NDArray[np.int32]]:
    """Reads the named vectors of an .npz, each of int32, and nothing else of what is in it.

    It takes no more memory than these vectors may take, whatever the file says: sizes are checked before anything is
    decompressed.

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
            return {name: _vector(archive, members[f"{name}.npy"], most) for name in names if f"{name}.npy" in members}
    except DamagedArchiveError:
        raise
    # Right for every class, as in ``read_npz``: these lines only parse bytes in memory.
    except Exception as error:
        raise DamagedArchiveError(f"{type(error).__name__}: {error}") from error


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


def _vector(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> npt.NDArray[np.int32]:
    if member.file_size > most * np.dtype(np.int32).itemsize + MOST_HEADER_BYTES:
        raise DamagedArchiveError(f"its member {member.filename!r} is longer than {most:,} numbers")
    content = archive.read(member)
    length = int.from_bytes(content[8:10], "little") + 10 if content[6:7] == b"\x01" else len(content)
    shape, dtype, offset = _header(content[:length])
    if len(shape) != 1 or dtype != np.int32:
        raise DamagedArchiveError(f"its member {member.filename!r} is {dtype}{list(shape)}, not a vector of int32")
    vector: npt.NDArray[np.int32] = np.frombuffer(content, np.int32, offset=offset)
    if shape != vector.shape:
        raise DamagedArchiveError(f"its member {member.filename!r} ends early")
    return vector
