"""Removes files from the cache, and nothing outside of it."""

import contextlib
import os
import shutil
from pathlib import Path

from recbench.data.cache import home
from recbench.data.file_use import exclusively
from recbench.errors import RecbenchError
from recbench.system_errors import advice_to_write, reason


def remove_file(path: Path) -> bool:
    """Removes a file or a link of the cache; what a link leads to stays.

    Returns:
        False if a running process uses the file; it is then not removed.

    Raises:
        RecbenchError: The file lies outside of the cache, or may not be removed.
    """
    _check_inside(path)
    try:
        with exclusively(path) as free:
            if free:
                path.unlink()
            return free
    except FileNotFoundError:
        return True
    except OSError as error:
        if os.name == "nt" and isinstance(error, PermissionError):
            return False
        raise _cannot_remove(path, error) from error


def in_use(path: Path) -> bool:
    """Returns whether a running process uses a file; False for a folder, and for a file that cannot be opened."""
    try:
        with exclusively(path) as free:
            return not free
    except OSError:
        # Only a preview asks. To remove the file opens it again, and reports what the system says.
        return False


def remove_folder(path: Path) -> None:
    """Removes a folder of the cache with all that is in it.

    Raises:
        RecbenchError: The folder lies outside of the cache, is a link, or may not be removed.
    """
    _check_inside(path)
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_remove(path, error) from error


def remove_if_empty(folder: Path) -> None:
    """Removes a folder of the cache that holds nothing."""
    _check_inside(folder)
    # It holds something, or it is gone.
    with contextlib.suppress(OSError):
        folder.rmdir()


def _check_inside(path: Path) -> None:
    root = home().resolve()
    folder = path.parent.resolve()
    if not folder.is_relative_to(root):
        raise RecbenchError(
            f"{path} lies in {folder}, outside of the cache {root}; recbench removes nothing there.",
            "Remove it yourself, or set RECBENCH_HOME to the folder that holds the cache.",
        )


def _cannot_remove(path: Path, error: OSError) -> RecbenchError:
    return RecbenchError(
        f"Cannot remove {path}: {reason(error)}.",
        advice_to_write(
            error, "Run the command as the owner of the cache, or set RECBENCH_HOME to a cache of your own."
        ),
    )
