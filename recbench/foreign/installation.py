"""Makes a virtual environment and installs the packages of a lock file, with uv or else with venv and pip."""

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError, shortened
from recbench.escaping.shell import shell_word
from recbench.foreign.environments import Lock, python_in
from recbench.foreign.pythons import find_uv

MOST_LINES: Final = 400
SHOWN_LINES: Final = 12
MOST_CHARACTERS: Final = 300
NO_NETWORK: Final = re.compile(
    r"dns error|name resolution|name or service not known|getaddrinfo|network is unreachable|no route to host"
    r"|connection (refused|reset|timed out|error)|connecterror|error sending request|client error \(connect\)"
    r"|newconnectionerror|max retries exceeded|operation timed out|proxy ?error|tunnel error"
    r"|connectivity is disabled|network connectivity|from versions: none",
    re.IGNORECASE,
)
UNRESOLVED: Final = re.compile(
    r"no solution found|unsatisfiable|no matching distribution|could not find a version|resolutionimpossible"
    r"|conflicting dependencies|no version of|was not found in the package registry|no wheels? with a matching",
    re.IGNORECASE,
)
STEPS: Final = (
    "Resolved",
    "Prepared",
    "Installed",
    "Downloading",
    "Building",
    "Collecting",
    "Installing",
    "Successfully",
)
"""How the lines of uv and pip begin that show progress."""


def make_environment(lock: Lock, folder: Path, python: str, say: Callable[[str], None]) -> str:
    """Makes a virtual environment in a folder that does not exist, and installs the packages of the lock file.

    Args:
        lock: The lock file.
        folder: The folder.
        python: A Python program; with uv, also a range of versions.
        say: Takes lines that show progress.

    Returns:
        ``uv`` or ``pip``.

    Raises:
        RecbenchError: A step fails; the message says whether the network or the lock file is the reason.
    """
    uv, program = find_uv(), str(python_in(folder))
    if uv is not None:
        create = [uv, "venv", "--no-project", "--python", python, str(folder)]
        install = [uv, "pip", "install", "--python", program, "-r", str(lock.path)]
    else:
        create = [python, "-m", "venv", str(folder)]
        install = [program, "-m", "pip", "install", "--disable-pip-version-check", "-r", str(lock.path)]
    for command in (create, install):
        code, lines = _run(command, say)
        if code:
            raise _failure(lock, lines, "uv" if uv is not None else "pip")
    return "uv" if uv is not None else "pip"


def _run(command: Sequence[str], say: Callable[[str], None]) -> tuple[int, list[str]]:
    """Runs an installer; returns its exit code and its last lines."""
    lines: deque[str] = deque(maxlen=MOST_LINES)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise RecbenchError(
            f"{command[0]} cannot be started: {error.strerror}.", f"Check it: {shell_word(command[0])} --version"
        ) from error
    with process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.rstrip())
                if lines[-1].strip().startswith(STEPS):
                    say(f"  {shortened(lines[-1].strip(), MOST_CHARACTERS)}")
        # The installer is a program of its own, and must not go on alone.
        except BaseException:
            process.kill()
            raise
    return process.returncode, list(lines)


def _failure(lock: Lock, lines: Sequence[str], installer: str) -> RecbenchError:
    text = "\n".join(lines)
    message = short_message(lines)
    index = "UV_DEFAULT_INDEX" if installer == "uv" else "PIP_INDEX_URL"
    if NO_NETWORK.search(text) or os.environ.get("UV_OFFLINE"):
        return RecbenchError(
            f"The packages of the environment {lock.name} cannot be downloaded. {installer} says:\n{message}",
            f"Check the network, or name a package index that answers: export {index}=URL. "
            f"Then run it again: recbench env create {lock.name}",
        )
    own = f"python -m venv my-{lock.name} && my-{lock.name}/bin/pip install {lock.name}=={lock.version}"
    hint = (
        f"Install {lock.name} with other versions of its packages: {own}; then name that environment: "
        f"recbench run --models {lock.check.partition(':')[0]}:CLASS@./my-{lock.name}"
    )
    if UNRESOLVED.search(text):
        return RecbenchError(
            f"The lock file of the environment {lock.name} ({lock.path}) can no longer be resolved. "
            f"{installer} says:\n{message}",
            hint,
        )
    return RecbenchError(
        f"The environment {lock.name} cannot be installed. {installer} says:\n{message}",
        f"Run it again: recbench env create {lock.name}. If it fails again: {hint[0].lower()}{hint[1:]}",
    )


def short_message(lines: Sequence[str]) -> str:
    """Returns the end of an installer's output, without progress, blank lines and frames of boxes."""
    kept = [line.strip(" \t│╰─▶×├╭╮╯└┌") for line in lines]
    kept = [shortened(line, MOST_CHARACTERS) for line in kept if line and not line.startswith(STEPS)]
    # Where the problem begins, if the installer marks it; else the end.
    marks = [UNRESOLVED.search(line) or line.lower().startswith("error") for line in kept]
    first = next((place for place, mark in enumerate(marks) if mark), None)
    kept = kept[-SHOWN_LINES:] if first is None else kept[first : first + SHOWN_LINES]
    return "\n".join(f"  {line}" for line in kept) or "  (nothing)"
