"""An environment of its own for the project of a commit: what the commit asks for is installed in it.

The environment also sees the packages of this process's environment. Only packages that the commit needs in another
version are installed.
"""

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError
from recbench.git_history import SHORT
from recbench.git_work_trees import WorkTree

PROJECT_FILES: Final = ("pyproject.toml", "setup.py")
SECONDS: Final = 3600


class InstallationError(RecbenchError):
    """The project of a commit cannot be installed."""


@contextmanager
def own_environment(tree: WorkTree) -> Iterator[str]:
    """Yields the Python of a new environment in which the project of a commit is installed.

    Args:
        tree: The files of the commit.

    Raises:
        InstallationError: The project has nothing to install, or cannot be installed.
    """
    if not any((tree.root / name).is_file() for name in PROJECT_FILES):
        raise InstallationError(
            f"The commit {tree.commit[:SHORT]} cannot be installed: it has no {' and no '.join(PROJECT_FILES)}.",
            "Leave --own-environments out to use the present environment.",
        )
    # Beside the work tree: both are removed together, even if this process is killed.
    folder = tree.root.parent / "environment"
    try:
        venv.create(folder, symlinks=sys.platform != "win32")
    except OSError as error:
        raise InstallationError(
            f"No environment can be made for the commit {tree.commit[:SHORT]}: {error.strerror or error}.",
            f"Try it: {sys.executable} -m venv environment",
        ) from error
    scheme = sysconfig.get_preferred_scheme("prefix")
    packages = Path(sysconfig.get_path("purelib", scheme, {"base": str(folder), "platbase": str(folder)}))
    paths = "".join(f"{path}\n" for path in _present_packages())
    (packages / "recbench-environment.pth").write_text(paths, encoding="utf-8", newline="\n")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    _install(tree, python)
    yield str(python)


def _present_packages() -> list[str]:
    """Returns the folders of the packages of this process's environment."""
    return list(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))


def _install(tree: WorkTree, python: Path) -> None:
    command = [*_installer(python), "-e", str(tree.root)]
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=tree.root.parent, timeout=SECONDS, check=False)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if done.returncode:
        raise InstallationError(
            f"The commit {tree.commit[:SHORT]} cannot be installed: {_cause(text)}",
            f"Try it in a checkout of {tree.commit[:SHORT]}: pip install -e .",
        )


def _installer(python: Path) -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-input"]
    if (uv := shutil.which("uv")) is not None:
        return [uv, "pip", "install", "--quiet", "--python", str(python)]
    raise RecbenchError(
        "--own-environments needs pip or uv, and this environment has neither.", "Install pip: python -m ensurepip"
    )


def _cause(text: str) -> str:
    """Returns the first error of an installer, or else its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "×"))]
    return next(iter([*errors, *lines[-1:]]), "the installer printed no message")
