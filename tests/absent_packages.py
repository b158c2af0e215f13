"""Packages that are not installed, or whose import fails, for processes that a test starts."""

import os
from collections.abc import Iterable
from pathlib import Path

ABSENT = """\
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def without(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Returns the environment of a process in which top-level modules cannot be found."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(ABSENT.format(names=set(names)))
    return python_path(folder)


def broken(folder: Path, name: str, error: str) -> dict[str, str]:
    """Returns the environment of a process in which the import of a package raises an error."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(f"raise {error}\n")
    return python_path(folder)


def python_path(folder: Path) -> dict[str, str]:
    path = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *([path] if path else [])])}
