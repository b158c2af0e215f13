"""The functions of the C library."""

import ctypes
import os


def c_library() -> ctypes.CDLL:
    """Returns the C library of this process."""
    return ctypes.CDLL("ucrtbase" if os.name == "nt" else None)


def flush_native_output() -> None:
    """Writes what native code has printed and the C library still holds."""
    c_library().fflush(None)
