"""Named arrays in one file, each of which can be mapped into memory by itself.

The file: ``MAGIC``, the length of the header in eight bytes, the header (JSON), and the arrays' little-endian bytes. An
array begins at a page boundary of every platform, so that its map holds no bytes of another array: a reference to train
rows does not lead to held-out rows. Data only; nothing is unpickled.
"""

import json
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.data.file_use import share

Array = npt.NDArray[Any]

MAGIC = b"recbench-task-2\n"
PAGE = 2**16
"""The largest granularity of maps among the usual platforms, that of Windows."""
MAX_HEADER = 2**24
KINDS = ("<i4", "<i8", "<f4", "|u1")


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
        ValueError: It is truncated, or not of this form.
        KeyError: The header lacks something.
        TypeError: The header is of another form.
    """
    with path.open("rb") as file:
        share(file.fileno(), path)
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("it begins with something else")
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ValueError(f"its header claims {length} bytes")
        header = json.loads(file.read(length))
        start, size = _pages(len(MAGIC) + 8 + length), os.fstat(file.fileno()).st_size
        arrays = {name: _map(file.fileno(), size, start, entry) for name, entry in header.pop("arrays").items()}
    return header, arrays


def _map(descriptor: int, size: int, start: int, entry: dict[str, Any]) -> Array:
    kind, shape, offset = entry["kind"], tuple(map(int, entry["shape"])), start + int(entry["offset"])
    if kind not in KINDS or any(n < 0 for n in shape) or offset < 0:
        raise ValueError(f"an array is said to be {kind}{shape} at {offset}")
    dtype = np.dtype(kind)
    length = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if offset + length > size:
        raise ValueError(f"it has {size} bytes, and an array would end at {offset + length}")
    if not length:
        return np.empty(shape, dtype.newbyteorder("="))
    mapped = mmap.mmap(descriptor, length, access=mmap.ACCESS_READ, offset=offset)
    return np.asarray(np.frombuffer(mapped, dtype).reshape(shape), dtype.newbyteorder("="))


def _pages(n_bytes: int) -> int:
    return -(-n_bytes // PAGE) * PAGE
