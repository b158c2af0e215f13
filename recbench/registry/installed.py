"""Whether a file belongs to the standard library or to an installed package."""

import os
import sysconfig
from functools import cache

FOLDERS = frozenset(("site-packages", "dist-packages"))
"""The names of folders of installed packages. The files of an editable install are elsewhere."""


def is_installed(file: str) -> bool:
    """Whether the file belongs to the standard library or to an installed package.

    Args:
        file: An absolute path.
    """
    # Without a Path: this is asked for thousands of modules after each trial.
    return not FOLDERS.isdisjoint(file.split(os.sep)) or file.startswith(_library_folders())  # noqa: PTH206


@cache
def _library_folders() -> tuple[str, ...]:
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.add(os.path.dirname(os.__file__))  # noqa: PTH120
    return tuple(f"{folder}{os.sep}" for path in folders for folder in {path, os.path.realpath(path)})
