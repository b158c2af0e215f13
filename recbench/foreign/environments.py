"""Environments by name: one virtual environment for each framework, in the cache folder.

``models/bridges/locks/NAME.txt`` holds the packages of an environment, in the format of pip. Comments at its head say
for which versions of Python it is, and which model a trial checks it with.
"""

import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from recbench.builtin_models import builtin_folder
from recbench.data.cache import home
from recbench.errors import RecbenchError, unknown_name

FOLDER: Final = "environments"
MARK: Final = "recbench-environment.json"
"""The file that an environment gets when it is complete; a folder without it was left by a command that was ended."""
_FACT: Final = re.compile(r"# (python|check): (.+)")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file.

    Attributes:
        name: The name of the environment.
        path: The file.
        python: The versions of Python that it is for, such as ``>=3.10,<3.12``.
        check: The model with which a trial checks the environment.
        packages: The pinned packages by their normalised names, and the versions of each: one, or several for different
            versions of Python.
    """

    name: str
    path: Path
    python: str
    check: str
    packages: dict[str, tuple[str, ...]]

    @property
    def version(self) -> str:
        """The version of the framework, which has the name of the environment."""
        return self.packages[self.name][0]


def locks_folder() -> Path:
    """Returns the folder of the lock files."""
    return builtin_folder() / "bridges" / "locks"


@cache
def environment_names() -> tuple[str, ...]:
    """Returns the names of the environments that can be created, sorted."""
    return tuple(sorted(file.stem for file in locks_folder().glob("*.txt")))


def read_lock(name: str) -> Lock:
    """Reads a lock file.

    Raises:
        RecbenchError: There is no environment of that name.
    """
    if name not in environment_names():
        raise unknown_name("environment", name, environment_names())
    path = locks_folder() / f"{name}.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    facts = {match[1]: match[2].strip() for line in lines if (match := _FACT.fullmatch(line))}
    pins = [line.partition(";")[0].strip() for line in lines if line and not line.startswith("#")]
    packages: dict[str, tuple[str, ...]] = {}
    for package, _, version in (pin.partition("==") for pin in pins):
        packages[normalised(package)] = (*packages.get(normalised(package), ()), version)
    return Lock(name, path, facts["python"], facts["check"], packages)


def normalised(package: str) -> str:
    """Returns the name of a package as indexes compare names.

    >>> normalised("Absl_Py")
    'absl-py'
    """
    return re.sub(r"[-_.]+", "-", package).lower()


def environment_folder(name: str) -> Path:
    """Returns the folder of an environment, whether it exists or not."""
    return home() / FOLDER / name


def python_in(folder: Path) -> Path:
    """Returns the Python program of a virtual environment, whether it exists or not."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def is_complete(name: str) -> bool:
    """Whether an environment was created to the end, and its Python is there."""
    folder = environment_folder(name)
    return (folder / MARK).is_file() and shutil.which(python_in(folder)) is not None


def environment_python(name: str) -> Path | None:
    """Returns the Python program of an environment; None if the name is not that of an environment.

    Raises:
        RecbenchError: The environment has not been created, or its Python is gone.
    """
    if name not in environment_names():
        return None
    if is_complete(name):
        return python_in(environment_folder(name)).absolute()
    state = "is not complete" if environment_folder(name).exists() else "does not exist yet"
    raise RecbenchError(f"The environment {name} {state}.", f"Create it: recbench env create {name}")
