"""Named arrays in one file, each of which can be mapped into memory by itself.

The file: ``MAGIC``, the length of the header in eight bytes, the header (JSON), and the arrays' little-endian bytes. An
array begins at a page boundary of every platform, so that its map holds no bytes of another array: a reference to train
rows does not lead to held-out rows. Data only; nothing is unpickled.
"""

import json
import math
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from recbench.data.file_use import share

Array = npt.NDArray[Any]
Scalar = TypeVar("Scalar", bound=np.generic)

MAGIC = b"recbench-task-2\n"
PAGE = 2**16
"""The largest granularity of maps among the usual platforms, that of Windows."""
MAX_HEADER = 2**24
KINDS = ("<i4", "<i8", "<f4", "|u1")
MOST_DIMENSIONS = 2


class DamagedFileError(ValueError):
    """The file is truncated, or not a file of arrays."""


def write_arrays(path: Path, header: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Writes a file.

    Args:
        path: The file; overwritten.
        header: What to keep beside the arrays; JSON.
        arrays: The arrays by name; signed whole numbers, single-precision floats or bytes.
    """
    # Where the arrays begin depends on the header's length, which holds where they begin: they are counted from there.
    little = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in arrays.items()}
    listing: dict[str, dict[str, Any]] = {}
    offset = 0
    for name, array in little.items():
        listing[name] = {"kind": array.dtype.str, "shape": array.shape, "offset": offset}
        offset += _pages(array.nbytes)
    text = json.dumps({**header, "arrays": listing}, sort_keys=True).encode("utf-8")
    start = _pages(len(MAGIC) + 8 + len(text))
    with path.open("wb") as file:
        file.write(MAGIC + len(text).to_bytes(8, "little") + text)
        for name, array in little.items():
            file.seek(start + listing[name]["offset"])
            file.write(array.data)
        file.truncate(start + offset)


def map_arrays(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Returns the header, and the arrays as read-only maps of the file, which is in use as long as they exist.

    Raises:
        OSError: The file cannot be read.
        DamagedFileError: It is truncated, or not of this form.
    """
    with path.open("rb") as file:
        share(file.fileno(), path)
        if file.read(len(MAGIC)) != MAGIC:
            raise DamagedFileError("its first bytes are not those of this format")
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise DamagedFileError(f"its header claims {length} bytes")
        header = _header(file.read(length))
        start, size = _pages(len(MAGIC) + 8 + length), os.fstat(file.fileno()).st_size
        entries = {name: _entry(name, entry) for name, entry in header.pop("arrays").items()}
        kept = _Descriptor(file.fileno())
        arrays = {name: _map(kept, size, start, entry) for name, entry in entries.items()}
    return header, arrays


def copied_when_written(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """Returns an array of its own with the same content, which takes no memory of its own before somebody writes to it.

    This is a second, private map of the same part of the file: the system copies a page when it is written. An array
    that is no whole map is copied at once.

    Args:
        array: An array of ``map_arrays``, or any other.
    """
    mapped = _map_of(array)
    if mapped is None or len(mapped) != array.nbytes or not array.flags.c_contiguous:
        return array.copy()
    # A plain map: whoever gets the array cannot reach the file, which has held-out rows too.
    private = mmap.mmap(mapped.file.number, len(mapped), access=mmap.ACCESS_COPY, offset=mapped.offset)
    if hasattr(mmap, "MADV_DONTNEED"):
        # The task's own map does not stay in memory beside it; a page comes back when it is read.
        mapped.madvise(mmap.MADV_DONTNEED)
    # Touch every page, so that the first read is no part of a model's measured time.
    np.frombuffer(private, np.uint8)[:: mmap.PAGESIZE].max(initial=0)
    return np.frombuffer(private, array.dtype).reshape(array.shape)


class _Descriptor:
    """A file that is open as long as one of its maps exists."""

    def __init__(self, descriptor: int) -> None:
        self.number = os.dup(descriptor)

    def __del__(self) -> None:
        os.close(self.number)


class _Map(mmap.mmap):
    """The read-only map of a part of a file.

    Attributes:
        file: The file.
        offset: Where the map begins.
    """

    file: _Descriptor
    offset: int


def _map_of(array: npt.NDArray[Any]) -> _Map | None:
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    return base if isinstance(base, _Map) else None


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the header says of an array; its offset is counted from the end of the header."""

    kind: str
    shape: tuple[int, ...]
    offset: int


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Neither UTF-8 nor JSON, whole numbers of thousands of digits, or nested without end.
        raise DamagedFileError(f"its header is not JSON: {error}") from error
    if not isinstance(header, dict) or not isinstance(header.get("arrays"), dict):
        raise DamagedFileError("its header lists no arrays")
    return header


def _entry(name: str, entry: object) -> _Entry:
    match entry:
        case {"kind": str(kind), "shape": list(shape), "offset": int(offset)} if (
            kind in KINDS
            and all(type(n) is int and 0 <= n < 2**62 for n in (*shape, offset))
            # Maps begin at a page boundary only.
            and offset % PAGE == 0
        ):
            return _Entry(kind, tuple(shape), offset)
    raise DamagedFileError(f"its header describes the array {name!r} in no valid way")


def _map(file: _Descriptor, size: int, start: int, entry: _Entry) -> Array:
    dtype, shape, offset = np.dtype(entry.kind), entry.shape, start + entry.offset
    length = math.prod(shape) * dtype.itemsize
    if offset + length > size or len(shape) > MOST_DIMENSIONS or max(shape, default=0) > size:
        raise DamagedFileError(f"it has {size} bytes, and an array {shape} would end at {offset + length}")
    if not length:
        return np.empty(shape, dtype.newbyteorder("="))
    mapped = _Map(file.number, length, access=mmap.ACCESS_READ, offset=offset)
    mapped.file, mapped.offset = file, offset
    return np.asarray(np.frombuffer(mapped, dtype).reshape(shape), dtype.newbyteorder("="))


def _pages(n_bytes: int) -> int:
    return -(-n_bytes // PAGE) * PAGE
