"""Checks that a path can be a file, or a folder: the same errors everywhere, on every platform.

They use ``os.path``, which also answers for names that no file can have; ``pathlib`` raises an error for some of them.
"""

import os
from pathlib import Path

from recbench.errors import RecbenchError


def check_working_folder() -> None:
    """Checks that the working folder still exists.

    Raises:
        RecbenchError: It was removed or moved, so that no relative path means anything.
    """
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError as error:
        raise RecbenchError(
            "The working folder no longer exists: it was removed.",
            "Go to a folder that exists, and run the command again: cd ~",
        ) from error


def check_no_folder(path: Path, advice: str = "Give the name of a file.", expected: str = "a file") -> None:
    """Checks that a path, which exists or does not, is no folder.

    Args:
        path: The path.
        advice: What to do if it is a folder.
        expected: What the path should be, with an article.

    Raises:
        RecbenchError: It is a folder.
    """
    if os.path.isdir(path):  # noqa: PTH112
        raise RecbenchError(f"{path} is a folder, and {expected} is expected.", advice)


def check_no_file_above(folder: Path, advice: str) -> None:
    """Checks that a folder exists or can be made: no file has its name or the name of a folder above it.

    Raises:
        RecbenchError: There is such a file.
    """
    nearest = next((path for path in (folder, *folder.parents) if os.path.exists(path)), None)  # noqa: PTH110
    if nearest is not None and not os.path.isdir(nearest):  # noqa: PTH112
        raise RecbenchError(f"{nearest} is a file, and a folder is expected.", advice)
