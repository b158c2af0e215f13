"""The packages that recbench requires, as its own metadata names them, and the commands that install them.

A command names a package by recbench's own requirement, such as ``tensorflow>=2.21``. A command such as
``pip install -e .`` would install the project of the folder in which the user runs it, and ``recbench`` on the public
index is another project.
"""

import re
import shlex
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

PROJECT = "recbench"
INSTALLED_WITH = {"keras": "tensorflow"}
"""Modules that come with another package: the module, and the package that recbench requires."""
FRAMEWORKS = ("implicit", "scipy", "tensorflow")
"""Packages of the builtin models, for a copy of recbench that has no metadata."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def running_folder() -> Path:
    """Returns the folder that holds the recbench that runs: a checkout, or ``site-packages``."""
    return Path(__file__).resolve().parent.parent


@cache
def declared() -> dict[str, str]:
    """Returns recbench's requirements, those of its extras included, by normalised name.

    The metadata of a checkout is its ``pyproject.toml``: a checkout on ``PYTHONPATH`` has no other, and that of an
    editable install may be older.
    """
    lines = _of_checkout(running_folder()) or _of_install(running_folder()) or FRAMEWORKS
    by_name: dict[str, str] = {}
    for line in lines:
        text = line.partition(";")[0].strip()
        found = _NAME.match(text)
        if found and _normalised(found[0]) != PROJECT:
            by_name.setdefault(_normalised(found[0]), text)
    return by_name


def requirement(name: str) -> str:
    """Returns recbench's requirement of a package, with its bound if the metadata has one.

    Args:
        name: Name of a package that recbench requires.
    """
    return declared().get(_normalised(name), name)


def package_of(module: str) -> str | None:
    """Returns the package that provides a top-level module; None if recbench does not require such a package.

    A module of another package can have any name. Its name on the public index may be that of another project.
    """
    name = _normalised(INSTALLED_WITH.get(module, module))
    return name if name in declared() else None


def install_command(names: Iterable[str]) -> str:
    """Returns the command that installs packages by recbench's own requirements.

    Args:
        names: Names of packages that recbench requires.
    """
    return "pip install " + " ".join(f"'{requirement(name)}'" for name in names)


def reinstall_advice() -> str:
    """Returns how to install recbench again: a command if its checkout is known, else words."""
    folder = running_folder()
    if _of_checkout(folder):
        return f"Install recbench again from its checkout: pip install -e {shlex.quote(str(folder))}"
    return "Install recbench again from its checkout or its wheel."


def _of_checkout(folder: Path) -> Sequence[str]:
    """Returns the requirements in the folder's ``pyproject.toml``; none if it is not recbench's."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        return []
    if project.get("name") != PROJECT:
        return []
    extras = project.get("optional-dependencies", {}).values()
    return [*project.get("dependencies", ()), *(line for lines in extras for line in lines)]


def _of_install(folder: Path) -> Sequence[str]:
    """Returns the requirements of the distribution in the folder; another folder may hold one of the same name."""
    for distribution in metadata.distributions(name=PROJECT):
        if Path(str(distribution.locate_file(""))).resolve() == folder:
            return distribution.requires or []
    return []


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
