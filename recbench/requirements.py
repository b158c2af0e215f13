"""The packages that recbench requires, as its own metadata names them, and the commands that install them.

A command names a package by recbench's own requirement, such as ``tensorflow>=2.21``. A command such as
``pip install -e .`` would install the project of the folder in which the user runs it, and ``recbench`` on the public
index is another project.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from recbench.escaping.shell import shell_word

PROJECT = "recbench"
INSTALLED_WITH = {"keras": "tensorflow"}
"""Modules that come with another package: the module, and the package that recbench requires."""
FRAMEWORKS = ("implicit", "scipy", "tensorflow")
"""Packages of the builtin models, for a copy of recbench that has no metadata."""
NOT_FOR_A_GATE = ("editables", "pandas", "pooch", "pyarrow")
"""Required packages that no command needs that only reads records. They are most of the size of an install."""

_EXTRA = re.compile(r"""\bextra *== *['"]""")
_EXTRA_PART = re.compile(r"""(\band\s+)?\bextra *== *(['"]).*?\2(\s+and\b)?""")
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
    by_name: dict[str, str] = {}
    for line in _all_lines() or FRAMEWORKS:
        text = line.partition(";")[0].strip()
        if _name(text) != PROJECT:
            by_name.setdefault(_name(text), text)
    return by_name


def gate_requirements() -> list[str]:
    """Returns the requirements, with their markers, of the commands that only read records: compare, gate, baseline."""
    return [line for line in _all_lines() if not _EXTRA.search(line) and _name(line) not in NOT_FOR_A_GATE]


def unmet_condition(name: str) -> str | None:
    """Returns the condition of recbench's requirement of a package, if this Python or system does not meet it.

    Args:
        name: Name of a package that recbench requires.

    Returns:
        The condition, such as ``python_version < "3.14"``; None if it is met, or if there is none.
    """
    from packaging.markers import Marker

    for line in _all_lines():
        text, _, condition = line.partition(";")
        # The extra says who wants the package, not where it can be installed.
        condition = _EXTRA_PART.sub("", condition).strip()
        if _name(text) == _normalised(name) and condition and not (marker := Marker(condition)).evaluate():
            return str(marker)
    return None


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


def is_checkout(folder: Path) -> bool:
    """Whether a folder is the top of a checkout of recbench."""
    return bool(_of_checkout(folder))


def reinstall_advice() -> str:
    """Returns how to install recbench again: a command if its checkout is known, else words."""
    folder = running_folder()
    if is_checkout(folder):
        return f"Install recbench again from its checkout: pip install -e {shell_word(folder)}"
    return "Install recbench again from its checkout or its wheel."


def _all_lines() -> Sequence[str]:
    return _of_checkout(running_folder()) or _of_install(running_folder())


def _name(line: str) -> str:
    match = _NAME.match(line)
    return _normalised(match[0]) if match else ""


def _of_checkout(folder: Path) -> Sequence[str]:
    """Returns the lines of recbench's ``pyproject.toml`` in the folder as metadata has them; none without one."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        # Not a checkout of recbench: the installed metadata are used.
        return []
    if project.get("name") != PROJECT:
        return []
    extras = project.get("optional-dependencies", {}).items()
    return [
        *project.get("dependencies", ()),
        *(_of_extra(line, extra) for extra, lines in extras for line in lines),
    ]


def _of_extra(line: str, extra: str) -> str:
    text, _, condition = line.partition(";")
    condition = f"({condition.strip()}) and " if condition else ""
    return f"{text.strip()}; {condition}extra == '{extra}'"


def _of_install(folder: Path) -> Sequence[str]:
    """Returns the requirements of the distribution in the folder; another folder may hold one of the same name."""
    for distribution in metadata.distributions(name=PROJECT):
        if Path(str(distribution.locate_file(""))).resolve() == folder:
            return distribution.requires or []
    return []


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def install_command_of(interpreter: str, package: str) -> str:
    """Returns the command that installs a package for another interpreter."""
    return f"{shell_word(interpreter)} -m pip install {package}"
