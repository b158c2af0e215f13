"""Which of the files that a process has opened are inputs of its model, and how a record names them."""

import contextlib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import recbench
from recbench.builtin_models import builtin_folder
from recbench.data.cache import home
from recbench.registry.installed import is_installed
from recbench.temporary_files import shared_temporary_folder

SYSTEM_FOLDERS = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var",
    "/Library", "/System", "/private/etc", "/private/var", os.environ.get("SYSTEMROOT", "/usr"),
)  # fmt: skip
NEVER = {".git", "__pycache__"}
ESCAPED = re.compile(r"\\u(dc[89a-f][0-9a-f])")
"""A byte of a path that is not UTF-8, as a record writes it."""


class InputFiles:
    """The files that count as inputs.

    In the folders of the project, all files count except those of Python, of recbench, and of git. Elsewhere, files of
    the system, temporary files, and hidden files of the user's home folder do not count: these are configuration and
    caches.

    Args:
        folder: The working folder.
        folders: The other folders of the project: those of the model's modules, and of the Python path.
    """

    def __init__(self, folder: str, folders: Iterable[str]) -> None:
        self._folder = folder
        self._user = _user_folder()
        own = {folder, *(str(Path(folder).absolute()) for folder in folders)}
        self._project = [
            tuning for tuning in own if not is_installed(f"{tuning}/") and not _is_below(self._user, tuning)
        ]
        python = {sys.prefix, sys.base_prefix, sys.exec_prefix}
        self._never = [
            str(Path(recbench.__file__).parent),
            str(builtin_folder()),
            str(home().absolute()),
            *(prefix for prefix in python if not _is_below(folder, prefix)),
        ]
        temporary = shared_temporary_folder()
        self._outside = [*SYSTEM_FOLDERS, *([] if _is_below(folder, temporary) else [temporary])]

    def has(self, file: str) -> bool:
        """Whether a file counts.

        Args:
            file: An absolute path.
        """
        if is_installed(file) or not NEVER.isdisjoint(Path(file).parts):
            return False
        if any(_is_below(file, folder) for folder in self._never):
            return False
        if any(_is_below(file, folder) for folder in self._project):
            return True
        if _is_below(file, self._user):
            return not os.path.relpath(file, self._user).startswith(".")
        return not any(_is_below(file, folder) for folder in self._outside)

    def path_of(self, file: str) -> str:
        """Returns the path by which a record names a file.

        It is relative to the working folder, so that a project can be moved. Files that share only the home folder or
        the root with the working folder are named from there.
        """
        shared = _shared(file, self._folder)
        if shared and not _is_below(self._user, shared) and Path(shared).parent != Path(shared):
            path = os.path.relpath(file, self._folder)
        elif _is_below(file, self._user):
            path = f"~{file.removeprefix(self._user)}"
        else:
            path = file
        # A byte that is not UTF-8 cannot be written as JSON.
        return path.replace(os.sep, "/").encode("utf-8", "backslashreplace").decode()

    def find(self, path: str) -> str:
        """Returns the file that a record names."""
        path = ESCAPED.sub(lambda match: chr(int(match[1], 16)), path)
        return os.path.join(self._folder, os.path.expanduser(path))  # noqa: PTH111, PTH118


def _user_folder() -> str:
    """Returns the user's home folder; a path that holds nothing where there is none, as in some containers."""
    # A user without a home folder.
    with contextlib.suppress(RuntimeError):
        folder = Path.home()
        if folder.is_absolute() and folder != folder.parent:
            return str(folder)
    return os.devnull


def _is_below(file: str, folder: str) -> bool:
    return file == folder or file.startswith(folder.rstrip(os.sep) + os.sep)


def _shared(file: str, folder: str) -> str:
    try:
        return os.path.commonpath([file, folder])
    except ValueError:  # other drives
        return ""
