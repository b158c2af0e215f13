"""Tasks by name: builtin specs, tasks that the user made or imported, and the cache of what was built."""

import hashlib
import logging
import os
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from recbench.data.cache import home
from recbench.errors import RecbenchError, unknown_name
from recbench.tasks import task_file
from recbench.tasks.build import build
from recbench.tasks.spec import (
    NAME_LENGTH,
    NAME_PATTERN,
    CatalogueData,
    FileData,
    SyntheticData,
    TaskSpec,
    parse_spec,
    read_spec,
)
from recbench.tasks.task import Task

log = logging.getLogger(__name__)

SUFFIX, OLD_SUFFIX = ".task", ".npz"


@dataclass(frozen=True, slots=True)
class Entry:
    """A task that can be loaded.

    Attributes:
        path: Its task file in the cache, which may not exist yet.
        spec: Its spec; None for a task of the user's own, whose file holds it.
    """

    path: Path
    spec: TaskSpec | None


@cache
def builtin_specs() -> dict[str, TaskSpec]:
    """Returns the builtin specs, by name."""
    folder = resources.files("recbench.tasks").joinpath("builtin")
    specs = [
        parse_spec(file.read_text(encoding="utf-8"), file.name)
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    return {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.name)}


def own_task_path(name: str) -> Path:
    """Returns the file of the user's own task ``name``, possibly in the older file format."""
    path = home() / "tasks" / "own" / f"{name}{SUFFIX}"
    old = path.with_name(f"{name}{OLD_SUFFIX}")
    return old if old.exists() and not path.exists() else path


def task_names() -> list[str]:
    """Returns every name that ``--task`` takes."""
    return [*builtin_specs(), *own_task_names()]


def own_task_names() -> list[str]:
    """Returns the names of the user's own tasks."""
    files = [path for path in (home() / "tasks" / "own").glob("*") if not path.name.startswith(".")]
    return sorted({path.name.removesuffix(path.suffix) for path in files if path.suffix in (SUFFIX, OLD_SUFFIX)})


def check_name(name: str, *, replace: bool) -> None:
    """Checks, before any work, that ``keep_as_own`` can use a name.

    Raises:
        RecbenchError: It is not a name, a builtin task's, or taken and not to be replaced.
    """
    if (
        not isinstance(name, str)
        or not re.fullmatch(NAME_PATTERN, name)
        or name.endswith(".toml")
        or len(name) > NAME_LENGTH
    ):
        raise RecbenchError(
            f"{str(name)[:NAME_LENGTH]!r} cannot be the name of a task.",
            f"Use letters, digits, dots, dashes and underscores, at most {NAME_LENGTH}; '.toml' names a spec file.",
        )
    if name in builtin_specs():
        raise RecbenchError(f"{name!r} is the name of a builtin task.", "Choose another name.")
    if (path := own_task_path(name)).exists() and not replace:
        raise RecbenchError(f"There is a task {name!r} already: {path}.", "Choose another name, or --replace it.")


def find_task(name: str | os.PathLike[str]) -> Entry:
    """Finds a task by its name, or by the path of a spec file.

    Raises:
        RecbenchError: There is none; the message names the nearest.
    """
    if not isinstance(name, str | os.PathLike):
        raise RecbenchError(
            f"A task is a name, a spec file or a Task, not {type(name).__name__}.",
            "Names are listed by: recbench task list. A task from DataFrames: recbench.make_task(ratings)",
        )
    path, name = Path(name), os.fspath(name)
    if spec := builtin_specs().get(name):
        return Entry(_built_path(spec), spec)
    if name.endswith(".toml") or "/" in name:
        spec = read_spec(path)
        return Entry(_built_path(spec), spec)
    if len(name) <= NAME_LENGTH and (path := own_task_path(name)).exists():
        return Entry(path, None)
    raise unknown_name("task", name, task_names(), "Or the path of a spec file: --task my-task.toml")


def load_task(name: str | os.PathLike[str], *, rebuild: bool = False, progressbar: bool = False) -> Task:
    """Returns the task of that name or spec file, from the cache; it is built and stored if it is not there.

    Args:
        name: A task's name, or the path of a spec file.
        rebuild: Build it again even if it is in the cache.
        progressbar: Show a progress bar while fetching.

    Raises:
        RecbenchError: No such task, or it cannot be built or read.

    Example:
        >>> load_task("synthetic").summary()["n_cases"]
        600
    """
    entry = find_task(name)
    if entry.path.exists() and not rebuild:
        return task_file.load(entry.path)
    task = build(entry.spec or task_file.load(entry.path).spec, progressbar=progressbar)
    task_file.save(task, entry.path)
    log.info("Stored as %s", entry.path)
    return task


def stored_path(task: Task) -> Path:
    """Returns a file that holds the task, for a trial in another process; stores the task if no file does.

    A task that was loaded by name has its file already. Any other task, such as one made from a DataFrame, is stored in
    the cache under its name and digest, once.

    Raises:
        RecbenchError: The cache cannot be written.
    """
    spec = task.spec if isinstance(task.spec.dataset, CatalogueData | SyntheticData) else None
    path = _file_of(task.name, task.digest, spec)
    if path is None:
        path = _by_digest(task.name, task.digest)
        task_file.save(task, path)
    return path


def find_by_digest(name: str, digest: str) -> Task | None:
    """Returns the task of that name and digest if the cache has it; nothing is built or fetched.

    Args:
        name: The task's name.
        digest: The task's digest.

    Raises:
        RecbenchError: The task's file cannot be read.
    """
    path = _file_of(name, digest, builtin_specs().get(name))
    return None if path is None else task_file.load(path)


def _file_of(name: str, digest: str, spec: TaskSpec | None) -> Path | None:
    """Returns the file in the cache that holds the task; None if there is none."""
    paths = [own_task_path(name), _by_digest(name, digest), *([_built_path(spec)] if spec is not None else [])]
    return next((path for path in paths if task_file.identity_of(path) == (name, digest)), None)


def _by_digest(name: str, digest: str) -> Path:
    return home() / "tasks" / "by-digest" / f"{name}-{digest.removeprefix('sha256:')[:32]}{SUFFIX}"


def keep_as_own(task: Task, *, replace: bool = False) -> Path:
    """Stores a task under its name among the user's own.

    Raises:
        RecbenchError: See ``check_name``.
    """
    check_name(task.name, replace=replace)
    path = home() / "tasks" / "own" / f"{task.name}{SUFFIX}"
    task_file.save(task, path)
    path.with_name(f"{task.name}{OLD_SUFFIX}").unlink(missing_ok=True)
    return path


def _built_path(spec: TaskSpec) -> Path:
    """The cache file of a spec: its name carries a hash of the spec and of the user's ratings file, if it has one."""
    key = hashlib.sha256(spec.fingerprint().encode())
    if isinstance(spec.dataset, FileData):
        try:
            with spec.dataset.path.open("rb") as file:
                key.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise RecbenchError(
                f"Task {spec.name!r} needs the ratings file {spec.dataset.path}, which cannot be read: "
                f"{error.strerror}.",
                "Correct dataset.path in the spec; a relative path counts from the spec's folder.",
            ) from error
    return home() / "tasks" / "built" / f"{spec.name}-{key.hexdigest()[:12]}{SUFFIX}"
