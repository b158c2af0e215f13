"""Removes tasks and datasets from the cache: those that a user names, or those not used for some time."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from recbench.data.cache import home
from recbench.data.catalogue import find_dataset
from recbench.data.removal import in_use, remove_file, remove_folder, remove_if_empty
from recbench.errors import RecbenchError, unknown_name
from recbench.escaping.shell import shell_word
from recbench.system_errors import UnreadableError
from recbench.tasks.cache_contents import (
    CachedFile,
    Kind,
    added_from,
    contents,
    dataset_files,
    task_files,
    total_bytes,
)
from recbench.tasks.dataset_tasks import same_rules_command
from recbench.tasks.named_specs import builtin_specs, own_spec, own_spec_path
from recbench.tasks.names import own_task_names, task_names
from recbench.tasks.spec import FileData
from recbench.tasks.task_file import spec_of
from recbench.temporary_files import TEMPORARY_NAME, is_left_over

IN_USE = "in use by a running process"
OWN = "yours, recbench cannot make it again"
LEFT_OVER_SECONDS = 24 * 3600
"""Younger left-overs of an earlier version of recbench may belong to a download or a write that still runs."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed under a name.

    Attributes:
        n_files: Number of files.
        n_bytes: Their size.
        again: How to make or fetch it again.
    """

    n_files: int
    n_bytes: int
    again: str


@dataclass(slots=True)
class Cleaning:
    """What was not used for some time.

    Attributes:
        removed: What was removed, or would be.
        kept: What was kept, each with the reason.
    """

    removed: list[CachedFile] = field(default_factory=list)
    kept: list[tuple[CachedFile, str]] = field(default_factory=list)


def remove_task(name: str, *, yes: bool = False) -> Removed:
    """Removes a task from the cache, with the copies of it that tuning and Python programs left.

    Args:
        name: The task's name.
        yes: Whether to remove it even if recbench cannot make it again.

    Raises:
        RecbenchError: There is no such task, recbench cannot make it again, or a running process uses it.
    """
    built = {file.name for file in task_files()}
    known = {*task_names(), *built, *(task_name.partition("@")[0] for task_name in built)}
    if name not in known:
        hint = f"{name} is a file of your own: delete it yourself." if name.endswith(".toml") else ""
        raise unknown_name("task", name, known, hint)
    files, spec_path = task_files(name), own_spec_path(name)
    again, copy = _how_to_build_again(name, files)
    if copy is not None and not yes:
        raise RecbenchError(
            f"The task {name!r} is yours, and recbench cannot build it again by itself. {again}",
            f"{copy}\nRemove it: recbench task remove {shell_word(name)} --yes".lstrip(),
        )
    removed = _remove_all(f"The task {name!r}", files)
    if spec_path.exists():
        n_bytes = spec_path.lstat().st_size
        remove_file(spec_path)
        removed = (removed[0] + 1, removed[1] + n_bytes)
    return Removed(*removed, again)


def remove_dataset(name: str) -> Removed:
    """Removes the files of a dataset from the cache; tasks that were built from them stay.

    Raises:
        RecbenchError: There is no such dataset, or a file may not be removed.
    """
    dataset = find_dataset(name)
    source = added_from(name, dataset)
    again = f"recbench data fetch {name}" if source is None else f"recbench data add {name} {shell_word(source)}"
    removed = _remove_all(f"The dataset {name!r}", dataset_files(name))
    remove_if_empty(home() / "datasets" / name)
    return Removed(*removed, f"Get it again: {again}")


def clean(older_than: float, *, own: bool = False, dry_run: bool = False) -> Cleaning:
    """Removes files of the cache that were not used for some time.

    Args:
        older_than: Seconds since the last use.
        own: Whether to remove also what recbench cannot make or fetch again.
        dry_run: Remove nothing.

    Raises:
        RecbenchError: The cache cannot be read, or a file may not be removed.
    """
    now, cleaning = time.time(), Cleaning()
    for file in contents():
        if not _has_age(file, now - file.last_used, older_than):
            continue
        if not file.replaceable and not own:
            cleaning.kept.append((file, OWN))
        elif not _in_use(file) if dry_run else _remove(file):
            cleaning.removed.append(file)
        else:
            cleaning.kept.append((file, IN_USE))
    for name in {file.name for file in cleaning.removed if file.kind is Kind.DATASET and not dry_run}:
        remove_if_empty(home() / "datasets" / name)
    return cleaning


def _has_age(file: CachedFile, age: float, older_than: float) -> bool:
    """Whether a file was not used for so long that it is to be removed, if no process uses it."""
    if file.kind is not Kind.LEFT_OVER:
        return age >= older_than
    # Nobody needs what a killed process has left. Whether the process was killed, its lock says.
    return bool(TEMPORARY_NAME.fullmatch(file.path.name)) or age >= max(older_than, LEFT_OVER_SECONDS)


def _in_use(file: CachedFile) -> bool:
    if TEMPORARY_NAME.fullmatch(file.path.name):
        # Only a preview asks. To remove the file opens it again, and reports what the system says.
        with suppress(OSError):
            return not is_left_over(file.path)
        return False
    return in_use(file.path)


def _remove(file: CachedFile) -> bool:
    """Removes a file; returns False if a running process uses it."""
    if file.kind is Kind.LEFT_OVER and _in_use(file):
        return False
    if file.kind is Kind.LEFT_OVER and file.path.is_dir():
        remove_folder(file.path)
        return True
    return remove_file(file.path)


def _remove_all(what: str, files: Iterable[CachedFile]) -> tuple[int, int]:
    """Removes files and returns their number and size.

    Raises:
        RecbenchError: A running process uses one; the others are removed.
    """
    outcomes = [(file, _remove(file)) for file in files]
    removed = [file for file, gone in outcomes if gone]
    used = [file for file, gone in outcomes if not gone]
    if used:
        raise RecbenchError(
            f"{what} is {IN_USE}: {', '.join(str(file.path) for file in used)}.",
            "Wait until the process ends, or end it; then run the command again.",
        )
    return len(removed), total_bytes(removed)


def _how_to_build_again(name: str, files: list[CachedFile]) -> tuple[str, str | None]:
    """Returns how to make a task again; and how to keep a copy, None if recbench can make it again by itself."""
    if name in builtin_specs():
        return f"Build it again: recbench task build {name}", None
    if (spec := own_spec(name)) is not None:
        if (command := same_rules_command(spec)) is not None:
            return f"Build it again: {command}", None
        return f"{spec.description}.", f"Keep its spec: recbench task show {name} --spec > {name}.toml"
    lost = [file for file in files if not file.replaceable]
    if not lost:
        return "It is built again when its spec file is used.", None
    try:
        spec = spec_of(lost[0].path)
    except UnreadableError as error:
        # The user may remove it all the same, with --yes.
        return error.message, ""
    if spec is None:
        return "Its file is damaged.", ""
    again = f"{spec.description}."
    if isinstance(spec.dataset, FileData):
        again = f"It was made from {spec.dataset.path}."
    in_python = name not in own_task_names()
    return again, "" if in_python else f"Keep a copy: recbench task export {name} -o FOLDER"
