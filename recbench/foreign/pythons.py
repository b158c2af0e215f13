"""Which Python an environment is made with: recbench's own, one on ``PATH``, or one that uv finds or downloads."""

import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from packaging.specifiers import SpecifierSet

from recbench.errors import RecbenchError

NEWEST: Final = 20
"""The highest minor version of Python 3 that is looked for."""


def find_uv() -> str | None:
    """Returns the program uv, on ``PATH`` or beside this Python; None if it is not installed."""
    beside = Path(sys.executable).parent
    return shutil.which("uv") or shutil.which("uv", path=str(beside))


def choose_python(versions: str, *, with_uv: bool) -> str:
    """Returns the program of a Python of one of the versions; with uv, perhaps the versions, for uv to find one.

    Args:
        versions: The versions, such as ``>=3.10,<3.12``.
        with_uv: Whether uv makes the environment.

    Raises:
        RecbenchError: There is none, and uv is not installed.
    """
    for program, version in _candidates():
        if version in SpecifierSet(versions):
            return program
    if with_uv:
        return versions
    raise RecbenchError(
        f"The environment needs Python {versions}. This is Python {platform.python_version()}, and PATH has no other.",
        "Install that Python, and name it: --python PYTHON. Or install uv, which downloads it: pip install uv",
    )


def _candidates() -> Iterator[tuple[str, str]]:
    yield sys.executable, platform.python_version()
    for minor in range(NEWEST, 8, -1):
        if (program := shutil.which(f"python3.{minor}")) is not None:
            yield program, f"3.{minor}"
