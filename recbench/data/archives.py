"""Named arrays from an untrusted .npz file: plain data only, whatever its bytes say."""

import io
from typing import IO, Any

import numpy as np
import numpy.typing as npt


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
