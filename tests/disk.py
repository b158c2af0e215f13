"""Keeps the tests from waiting for the disk."""

import os


def skip_flushes() -> None:
    """Lets this process, and those forked from it, leave what they write to the system's cache.

    Files are complete for every other process either way: only a machine that loses its power could lose them, and no
    test does that.
    """
    # It still refuses what is not an open file.
    os.fsync = os.fstat  # type: ignore[assignment]
