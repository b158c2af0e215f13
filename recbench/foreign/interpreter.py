"""Which Python program a text names, and why one cannot be used."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError, shortened
from recbench.foreign.environments import environment_python

OLDEST: Final = (3, 9)
SECONDS_TO_PROBE: Final = 20
_PROBE: Final = "import sys; sys.stdout.write('python=%d.%d.%d' % tuple(sys.version_info[:3]))"


def find_interpreter(text: str) -> str:
    """Returns the absolute path of the program; links are kept, for they lead into a virtual environment.

    Args:
        text: The name of an environment of recbench, a path, a folder of a virtual environment, or the name of a
            program on ``PATH``, such as ``python3.12``.

    Raises:
        RecbenchError: There is no such program.
    """
    if (python := environment_python(text)) is not None:
        return str(python)
    path = Path(text).expanduser()
    inside = [file for file in (path / "bin" / "python", path / "Scripts" / "python.exe") if file.is_file()]
    if inside:
        program: str | None = str(inside[0])
    else:
        program = shutil.which(text) if os.sep not in text and "/" not in text else str(path)
    if program is None or not Path(program).is_file():
        raise RecbenchError(
            f"There is no interpreter {text}.",
            "Give the path of a Python program with numpy: --models my_model.py:Mine@/path/to/venv/bin/python",
        )
    if not os.access(program, os.X_OK):
        raise RecbenchError(f"The interpreter {text} may not be run.", f"Check it: ls -l {program}")
    return os.path.abspath(program)  # noqa: PTH100 - links are not resolved


def short_name(text: str) -> str:
    """Returns a name for tables: that of the virtual environment, or else that of the program.

    >>> short_name("python3.12"), short_name("/no/such/python3.9")
    ('python3.12', 'python3.9')
    """
    path = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100
    for folder in (path, path.parent.parent):
        if (folder / "pyvenv.cfg").is_file():
            return folder.name
    return path.name


def broken_interpreter(interpreter: str, what: str | None) -> RecbenchError:
    """Returns the error for an interpreter that does not serve.

    Args:
        interpreter: Its path.
        what: What is wrong; None to find out.
    """
    if what is None:
        version = _version(interpreter)
        if version is None:
            what = "it does not run Python code"
        elif version < OLDEST:
            what = too_old(".".join(map(str, version)))
        else:
            what = "it ended before it gave an answer; its output is above"
    return RecbenchError(
        f"The interpreter {interpreter} cannot be used: {what}.",
        f"Check it: {interpreter} -I -c 'import sys, numpy; print(sys.version, numpy.__version__)'",
    )


def too_old(version: str) -> str:
    """Says that a version of Python is too old."""
    return f"it is Python {version}, and {'.'.join(map(str, OLDEST))} or later is needed"


def _version(interpreter: str) -> tuple[int, ...] | None:
    # Whatever program it is, the message can be given without its version.
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        done = subprocess.run(
            [interpreter, "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS_TO_PROBE,
            check=False,
        )
        text = shortened(done.stdout.decode(errors="replace"), 10_000)
        _, marker, version = text.rpartition("python=")
        return tuple(int(part) for part in version.split(".")) if marker else None
    return None
