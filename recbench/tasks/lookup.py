"""Tasks by name: builtin specs, tasks that the user made or imported, and the cache of what was built."""

import contextlib
import dataclasses
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recbench.data.cache import home, locked_file, remove_leftovers_in_cache
from recbench.data.readers.part_folders import files_of_table
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.system_errors import advice, reason
from recbench.tasks import task_file
from recbench.tasks.build import build
from recbench.tasks.dataset_tasks import unknown_task
from recbench.tasks.named_specs import builtin_specs, own_spec, own_spec_path, save_own_spec, spec_of
from recbench.tasks.names import OLD_SUFFIX, REPLICA, SUFFIX, is_spec_file, task_names
from recbench.tasks.spec import (
    NAME_LENGTH,
    NAME_PATTERN,
    CatalogueData,
    FileData,
    SyntheticData,
    TaskSpec,
    read_spec,
)
from recbench.tasks.task import Task

log = logging.getLogger(__name__)

ROWS = 3
"""Increases when the rows of the user's files are put into another order, so that such tasks are built again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A task that can be loaded.

    Attributes:
        path: Its task file in the cache, which may not exist yet.
        spec: Its spec; None for a task of the user's own that only its file holds.
    """

    path: Path
    spec: TaskSpec | None


def own_task_path(name: str) -> Path:
    """Returns the file of the user's own task ``name``, possibly in the older file format."""
    path = home() / "tasks" / "own" / f"{name}{SUFFIX}"
    old = path.with_name(f"{name}{OLD_SUFFIX}")
    return old if old.exists() and not path.exists() else path


def check_name(name: str, *, replace: bool) -> None:
    """Checks, before any work, that a task of the user's own can have a name.

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
            f"{str(name)[:NAME_LENGTH]!r} is not a valid name of a task.",
            f"Use letters a to z and A to Z, digits, dots, dashes and underscores, at most {NAME_LENGTH}; begin with a "
            "letter or a digit. A name with '.toml' at its end is a spec file.",
        )
    if name in builtin_specs():
        raise RecbenchError(f"{name!r} is the name of a builtin task.", "Choose another name.")
    taken = next((path for path in (own_task_path(name), own_spec_path(name)) if path.exists()), None)
    if taken is not None and not replace:
        raise RecbenchError(
            f"There is a task {name!r} already: {taken}.", "Choose another name, or replace it with --force."
        )


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
    if (replica := REPLICA.fullmatch(name)) is not None:
        return _find_replica(replica["base"], int(replica["number"]))
    if spec := builtin_specs().get(name):
        return Entry(_built_path(spec), spec)
    if is_spec_file(name):
        spec = read_spec(path)
        return Entry(_built_path(spec.replica(0) if spec.replicas else spec), spec)
    if len(name) <= NAME_LENGTH and re.fullmatch(NAME_PATTERN, name):
        if spec := own_spec(name):
            return Entry(_built_path(spec), spec)
        if (path := own_task_path(name)).exists():
            return Entry(path, None)
        if path.is_symlink():
            raise RecbenchError(
                f"The task {name} is a link that leads to no file: {path}.", "Restore the file that it leads to."
            )
    raise unknown_task(name, task_names())


def _find_replica(base: str, number: int) -> Entry:
    """Finds a replica of a task by the name or spec file of the task.

    Raises:
        RecbenchError: There is no such task or replica.
    """
    spec = find_task(base).spec
    if spec is None or spec.replicas is None:
        raise RecbenchError(f"The task {base} has no replicas, so there is no {base}@{number}.", f"Use --task {base}")
    if number >= spec.replicas:
        raise RecbenchError(
            f"The task {base} has {spec.replicas} replicas, and no replica {number}.",
            f"Use one of {base}@0 to {base}@{spec.replicas - 1}.",
        )
    replica = spec.replica(number)
    return Entry(_built_path(replica), replica)


def load_task(name: str | os.PathLike[str], *, rebuild: bool = False, progressbar: bool = False) -> Task:
    """Loads a task from the cache by its name or spec file. Builds and stores it first if the cache does not have it.

    Args:
        name: A task's name, or the path of a spec file.
        rebuild: Build it again even if it is in the cache. A task from your own data is not replaced by a task with
            another digest.
        progressbar: Show a progress bar while fetching.

    Raises:
        RecbenchError: No such task, or it cannot be built or read, or building it again gives another digest.

    Examples:
        >>> load_task("synthetic").summary()["n_cases"]
        600
    """
    remove_leftovers_in_cache()
    entry = find_task(name)
    if entry.spec is not None and entry.spec.replicas is not None:
        last = entry.spec.replicas - 1
        raise RecbenchError(
            f"The task {os.fspath(name)} has {entry.spec.replicas} replicas, and one task is needed here.",
            f"Name a replica: {os.fspath(name)}@0 to {os.fspath(name)}@{last}. All of them: recbench run --task "
            f"{shell_word(os.fspath(name))}",
        )
    if entry.path.exists() and not rebuild:
        try:
            return task_file.load(entry.path)
        except RecbenchError:
            # Another process may have removed the file meanwhile.
            if entry.spec is None or entry.path.exists():
                raise
    if entry.spec is None:
        return build_own_again(os.fspath(name), progressbar=progressbar)
    task = build(entry.spec, progressbar=progressbar)
    task_file.save(task, entry.path)
    log.info("Stored as %s", entry.path)
    return task


def build_own_again(name: str, *, replace: bool = False, progressbar: bool = False) -> Task:
    """Builds a task of the user's own that only its file holds again, and stores it.

    Its data may have changed. The stored task may then be the only copy of the cases that records were made with, so a
    task with another digest does not replace it by itself.

    Args:
        name: The task's name.
        replace: Replace it by a task with another digest.
        progressbar: Show a progress bar while fetching.

    Raises:
        RecbenchError: It cannot be built or read, or it has another digest and is not to be replaced.
    """
    task = build(task_file.load(own_task_path(name)).spec, progressbar=progressbar)
    with _name_held(name):
        path = own_task_path(name)
        stored = task_file.identity_of(path)
        if not replace and stored is not None and stored[1] != task.digest:
            raise RecbenchError(
                f"Task {name!r} has the digest {stored[1]}, but built again it has {task.digest}. The stored task is "
                "kept.",
                "Its data or the code that draws candidates have changed. To replace the stored task: recbench task "
                f"build {shell_word(name)} --force\nTo keep both tasks, build the new one under another name: recbench "
                "task build NAME --ratings FILE",
            )
        task_file.save(task, path)
    log.info("Stored as %s", path)
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
    path = _file_of(name, digest, spec_of(name))
    return None if path is None else task_file.load(path)


def _file_of(name: str, digest: str, spec: TaskSpec | None) -> Path | None:
    """Returns the file in the cache that holds the task; None if there is none."""
    paths = [own_task_path(name), _by_digest(name, digest), *([_built_path(spec)] if spec is not None else [])]
    if REPLICA.fullmatch(name):
        # Its spec is a file of the user's, which the name does not tell.
        paths += sorted((home() / "tasks" / "built").glob(f"{name}-*{SUFFIX}"))
    return next((path for path in paths if task_file.identity_of(path) == (name, digest)), None)


def _by_digest(name: str, digest: str) -> Path:
    return home() / "tasks" / "by-digest" / f"{name}-{digest.removeprefix('sha256:')[:32]}{SUFFIX}"


@contextlib.contextmanager
def _name_held(name: str) -> Iterator[None]:
    """Keeps other commands from storing a task of the user's own under this name during the block.

    A check that a name is free holds only as long as nobody else can take it.

    Raises:
        RecbenchError: Another process keeps the lock, or the cache cannot be written.
    """
    # The path of no file: a task's own file may be a link, and its lock would then follow the link.
    with locked_file(home() / "tasks" / "own" / name):
        yield


def keep_as_own(task: Task, *, replace: bool = False) -> Path:
    """Stores a task under its name among the user's own.

    Raises:
        RecbenchError: See ``check_name``.
    """
    check_name(task.name, replace=replace)
    remove_leftovers_in_cache()
    path = home() / "tasks" / "own" / f"{task.name}{SUFFIX}"
    with _name_held(task.name):
        check_name(task.name, replace=replace)
        task_file.save(task, path)
        path.with_name(f"{task.name}{OLD_SUFFIX}").unlink(missing_ok=True)
        own_spec_path(task.name).unlink(missing_ok=True)
    return path


def keep_as_spec(task: Task, *, replace: bool = False) -> Task:
    """Stores the spec of a task under its name among the user's own, and the task in the cache of what was built.

    Args:
        task: A task that can be built again from its spec.
        replace: Replace another task of that name.

    Returns:
        The same task, whose spec pins its digest.

    Raises:
        RecbenchError: See ``check_name``.
    """
    check_name(task.name, replace=replace)
    remove_leftovers_in_cache()
    pinned = dataclasses.replace(task, spec=task.spec.model_copy(update={"digest": task.digest}))
    with _name_held(task.name):
        check_name(task.name, replace=replace)
        task_file.save(pinned, _built_path(pinned.spec))
        save_own_spec(pinned.spec)
        for suffix in (SUFFIX, OLD_SUFFIX):
            own_spec_path(task.name).with_name(f"{task.name}{suffix}").unlink(missing_ok=True)
    return pinned


def _built_path(spec: TaskSpec) -> Path:
    """The cache file of a spec: its name carries a hash of the spec and of the user's ratings file, if it has one."""
    key = hashlib.sha256(spec.fingerprint().encode())
    if isinstance(spec.dataset, FileData):
        key.update(ROWS.to_bytes())
        at_path = "Correct dataset.path in the spec; a relative path counts from the spec's folder."
        try:
            for part in files_of_table(spec.dataset.path):
                with part.open("rb") as file:
                    key.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise RecbenchError(
                f"Task {spec.name!r} needs the ratings file {spec.dataset.path}, which cannot be read: "
                f"{reason(error)}.",
                at_path if isinstance(error, FileNotFoundError) else advice(error, at_path),
            ) from error
    return home() / "tasks" / "built" / f"{spec.name}-{key.hexdigest()[:12]}{SUFFIX}"
