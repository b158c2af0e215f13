"""Creates, checks and removes the environments of other frameworks."""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from recbench.builtin_models import POPULARITY
from recbench.data.cache import atomic_path, home, write_errors
from recbench.data.removal import remove_folder
from recbench.errors import RecbenchError
from recbench.experiments import api
from recbench.foreign.connection import Connection, ForeignError
from recbench.foreign.environments import (
    MARK,
    Lock,
    environment_folder,
    environment_names,
    environment_python,
    is_complete,
    normalised,
    python_in,
    read_lock,
)
from recbench.foreign.installation import make_environment
from recbench.foreign.interpreter import find_interpreter
from recbench.foreign.pythons import choose_python, find_uv
from recbench.process_locks import lock_held
from recbench.records.ranks_file import ranks_to_bytes
from recbench.records.schema import Status

CHECK_TASK: Final = "synthetic"
SECONDS_TO_WAIT: Final = 1
MOST_NAMED: Final = 5
EARLIER: Final = ".earlier"
"""Ends the name of the folder that holds an environment while it is created again."""


class State(StrEnum):
    """What is there of an environment."""

    READY = "ready"
    MISSING = "not created"
    INCOMPLETE = "incomplete"
    OUTDATED = "made from an older lock file"


@dataclass(frozen=True, slots=True)
class FrameworkEnvironment:
    """An environment.

    Attributes:
        lock: Its lock file.
        state: What is there.
        folder: Its folder.
        python: Its version of Python; empty if it is not complete.
        n_bytes: Its size; 0 if there is none.
        seconds: How long its creation took; 0 if it is not complete.
        installer: ``uv`` or ``pip``; empty if it is not complete.
    """

    lock: Lock
    state: State
    folder: Path
    python: str = ""
    n_bytes: int = 0
    seconds: float = 0.0
    installer: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """The trials that check an environment.

    Attributes:
        model: The model of the framework.
        hr: Its HR@10 on the task ``synthetic``.
        problems: What is wrong; empty if the environment can be used.
    """

    model: str
    hr: float | None
    problems: tuple[str, ...]


def environments() -> list[FrameworkEnvironment]:
    """Returns all environments that have a lock file, by name."""
    return [environment(name) for name in environment_names()]


def environment(name: str) -> FrameworkEnvironment:
    """Returns one environment.

    Raises:
        RecbenchError: There is no environment of that name.
    """
    lock, folder = read_lock(name), environment_folder(name)
    if not is_complete(name):
        return FrameworkEnvironment(lock, State.INCOMPLETE if folder.exists() else State.MISSING, folder)
    try:
        facts = json.loads((folder / MARK).read_text(encoding="utf-8"))
        state = State.READY if facts["lock"] == _digest(lock) else State.OUTDATED
        values = str(facts["python"]), int(facts["bytes"]), float(facts["seconds"]), str(facts["installer"])
    # Damaged, or of a later recbench: it is made again.
    except (OSError, ValueError, KeyError, TypeError):
        return FrameworkEnvironment(lock, State.INCOMPLETE, folder)
    return FrameworkEnvironment(lock, state, folder, *values)


def create(name: str, python: str | None, say: Callable[[str], None]) -> tuple[FrameworkEnvironment, Check]:
    """Creates an environment, or creates it again, and checks it with a trial. If that fails, an earlier one stays.

    Args:
        name: Its name.
        python: The Python to make it with; None to find one.
        say: Takes lines that show progress.

    Raises:
        RecbenchError: There is no such environment, a step fails, or the check fails.
    """
    lock, folder = read_lock(name), environment_folder(name)
    chosen = find_interpreter(python) if python is not None else choose_python(lock.python, with_uv=bool(find_uv()))
    file = home() / "locks" / f"environment-{name}.lock"
    with write_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with lock_held(file, SECONDS_TO_WAIT), _earlier_one_kept(name, folder, say):
        check = _make(lock, folder, chosen, say)
    return environment(name), check


def _make(lock: Lock, folder: Path, python: str, say: Callable[[str], None]) -> Check:
    """Installs and checks an environment in a folder that does not exist."""
    began = time.perf_counter()
    say(f"[1/2] Installing {lock.name} {lock.version} and its packages into {folder}")
    with write_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    installer = make_environment(lock, folder, python, say)
    connection = Connection(str(python_in(folder)))
    version = connection.python
    connection.close()
    facts = {
        "lock": _digest(lock),
        "python": version,
        "bytes": _size(folder),
        "seconds": round(time.perf_counter() - began, 1),
        "installer": installer,
    }
    with atomic_path(folder / MARK) as temporary:
        temporary.write_text(json.dumps(facts), encoding="utf-8", newline="\n")
    say(f"[2/2] Checking it with a trial of {lock.check} on {CHECK_TASK}")
    is_good = False
    try:
        check = check_with_trial(lock.name)
        is_good = not check.problems
    finally:
        if not is_good:
            # It does not serve, and a run must not use it.
            (folder / MARK).unlink()
    if check.problems:
        raise RecbenchError(
            f"The environment {lock.name} was installed, but it does not work: {'; '.join(check.problems)}.",
            f"Create it with another Python, such as: recbench env create {lock.name} --python python3.11",
        )
    return check


@contextmanager
def _earlier_one_kept(name: str, folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Moves an environment away during the block, and back again if the block fails."""
    earlier = folder.with_name(f"{name}{EARLIER}")
    if earlier.exists() and not is_complete(name):
        # A command that was killed has left it.
        remove_folder(folder)
        earlier.rename(folder)
    remove_folder(earlier)
    if not is_complete(name):
        remove_folder(folder)
    else:
        with write_errors(folder):
            folder.rename(earlier)
    try:
        yield
    # Whatever it is, also an interruption: what worked before must work again.
    except BaseException:
        if earlier.exists():
            remove_folder(folder)
            earlier.rename(folder)
            say(f"The earlier environment {name} is in use again.")
        raise
    remove_folder(earlier)


def remove(name: str) -> FrameworkEnvironment:
    """Removes an environment; returns what was there.

    Raises:
        RecbenchError: There is no environment of that name, or its folder may not be removed.
    """
    removed = environment(name)
    if removed.state is not State.MISSING:
        remove_folder(removed.folder)
    return removed


def check(name: str) -> Check:
    """Checks an environment: its Python, the versions of its packages, and trials.

    Raises:
        RecbenchError: There is no environment of that name.
    """
    checked = environment(name)
    if checked.state in (State.MISSING, State.INCOMPLETE):
        return Check(checked.lock.check, None, (f"it is {checked.state}",))
    problems = [f"it is {checked.state}"] if checked.state is State.OUTDATED else []
    try:
        connection = Connection(str(environment_python(name)))
        done, _ = connection.request("versions")
        connection.close()
    except RecbenchError as error:
        return Check(checked.lock.check, None, (*problems, error.message.rstrip(".")))
    except ForeignError as error:
        return Check(checked.lock.check, None, (*problems, str(error)))
    problems += _different(checked.lock, done.fields.get("packages"))
    trials = check_with_trial(name)
    return Check(trials.model, trials.hr, (*problems, *trials.problems))


def check_with_trial(name: str) -> Check:
    """Runs the framework's model, and popularity here and there, on a small task.

    Popularity uses numpy alone, so its ranks must be the same bit for bit.
    """
    model = read_lock(name).check
    with tempfile.TemporaryDirectory() as folder:
        models = [POPULARITY, f"{POPULARITY}@{name}", model]
        try:
            run = api.run(models, CHECK_TASK, seeds=1, output=folder, quiet=True)
        except RecbenchError as error:
            return Check(model.partition(":epochs=")[0], None, (error.message.rstrip("."),))
        trials = {trial.record.model: trial for trial in run.trials}
        problems = [
            f"the trial of {title} failed: {(trial.record.error or '').rstrip('.')}"
            for title, trial in trials.items()
            if trial.record.status is not Status.DONE
        ]
        here, there, own = trials[POPULARITY], trials[f"{POPULARITY}@{name}"], trials[model.partition(":epochs=")[0]]
        if not problems:
            ranks = [trial.ranks for trial in (here, there)]
            first, second = (b"" if trial_ranks is None else ranks_to_bytes(trial_ranks) for trial_ranks in ranks)
            problems += [] if first == second else ["popularity has different ranks there than here"]
        hr = None if problems else own.record.metrics["hr@10"].mean
    return Check(own.record.model, hr, tuple(problems))


def _different(lock: Lock, installed: Any) -> list[str]:
    """Returns a line for packages whose versions are not those of the lock file."""
    installed_versions = {normalised(package): str(version) for package, version in dict(installed or {}).items()}
    other = [
        f"{package} {installed_versions[package]} instead of {' or '.join(sorted(versions))}"
        for package, versions in lock.packages.items()
        if package in installed_versions and installed_versions[package].partition("+")[0] not in versions
    ]
    shown = ", ".join(other[:MOST_NAMED]) + (f", {len(other) - MOST_NAMED} more" if len(other) > MOST_NAMED else "")
    return [f"it has {shown}"] if other else []


def _digest(lock: Lock) -> str:
    return hashlib.sha256(lock.path.read_bytes()).hexdigest()


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        # A file may go meanwhile.
        with suppress(OSError):
            total += 0 if file.is_symlink() or not file.is_file() else file.stat().st_size
    return total
