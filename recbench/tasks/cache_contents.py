"""What the cache holds: every file that recbench itself wrote there, and no other file.

A file counts as recbench's only if it lies where recbench writes such a file and has the form of such a name. Links and
all other files are never listed, so that they are never removed.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from recbench.data.cache import home
from recbench.data.catalogue import Dataset, catalogue
from recbench.data.download import describe
from recbench.data.published_files import checksum_file, stored_source
from recbench.errors import RecbenchError
from recbench.system_errors import UnreadableError, advice_to_write, reason
from recbench.tasks import task_file
from recbench.tasks.spec import CatalogueData, SyntheticData
from recbench.tasks.tuning_task import SUFFIX as TUNING_SUFFIX
from recbench.temporary_files import TEMPORARY_NAME


class Kind(StrEnum):
    """What a file of the cache is."""

    TASK = "task"
    DATASET = "dataset"
    CHECK = "checks passed"
    """That a task of some digest passed all checks."""
    LEFT_OVER = "left-over"
    """What an interrupted download or write left."""


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file of the cache.

    Attributes:
        kind: What it is.
        name: The name of its task or dataset; for other files, the file's name.
        path: The file; for some left-overs, a folder.
        n_bytes: Its size.
        last_used: When it was used last, in seconds since 1970.
        replaceable: Whether recbench can make or fetch it again without files of the user.
    """

    kind: Kind
    name: str
    path: Path
    n_bytes: int
    last_used: float
    replaceable: bool = True


TASK_NAMES = {
    "built": re.compile(r"(?P<name>.+)-[0-9a-f]{12}\.(task|npz)"),
    "by-digest": re.compile(r"(?P<name>.+)-[0-9a-f]{32}\.task"),
    "tuning": re.compile(rf"(?P<name>.+){TUNING_SUFFIX}-[0-9a-f]{{12}}\.task"),
    "shipped": re.compile(r"(?P<name>[0-9a-f]{64})\.task"),
    "own": re.compile(r"(?P<name>[^.].*)\.(task|npz)"),
}
"""The names of task files, by the folder below ``tasks``."""
CHECK_NAME = re.compile(r"[0-9a-f]{64}-[0-9]+")
EARLIER_TEMPORARY_NAME = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
EARLIER_GATHERING_NAME = re.compile(r"\.(?P<name>.+)-[a-z0-9_]{8}")
"""What an earlier version of recbench has left; nothing says whether its process still runs."""


def contents() -> list[CachedFile]:
    """Returns every file that recbench wrote into the cache.

    Raises:
        RecbenchError: A folder of the cache cannot be read.
    """
    return [*task_files(), *dataset_files(), *_checks(), *_left_overs()]


def task_files(name: str | None = None) -> list[CachedFile]:
    """Returns the files of built tasks, of one name and its replicas if a name is given.

    Raises:
        RecbenchError: A folder of the cache cannot be read.
    """
    files = []
    for folder, pattern in TASK_NAMES.items():
        for path, status in _regular_files(home() / "tasks" / folder):
            match = pattern.fullmatch(path.name)
            if match and name in (None, match["name"], match["name"].partition("@")[0]):
                replaceable = folder not in ("own", "by-digest") or _can_be_built_again(path)
                files.append(CachedFile(Kind.TASK, match["name"], path, status.st_size, status.st_mtime, replaceable))
    return files


def dataset_files(name: str | None = None) -> list[CachedFile]:
    """Returns the files of fetched and added datasets, of one dataset if a name is given.

    Raises:
        RecbenchError: A folder of the cache cannot be read.
    """
    cached_files = []
    for dataset, entry in catalogue().items():
        if name not in (None, dataset):
            continue
        known = {file for path in entry.files for file in (path.name, checksum_file(Path(path.name)).name)}
        files = [file for file in _regular_files(home() / "datasets" / dataset) if file[0].name in known]
        # A dataset is used, fetched and removed as a whole.
        last_used = max((status.st_mtime for _, status in files), default=0)
        replaceable = added_from(dataset, entry) is None
        cached_files += [
            CachedFile(Kind.DATASET, dataset, path, status.st_size, last_used, replaceable) for path, status in files
        ]
    return cached_files


def added_from(name: str, dataset: Dataset) -> str | None:
    """Returns the file that the user added a cached dataset from; None if recbench fetched it."""
    for file in dataset.files:
        note = checksum_file(home() / "datasets" / name / file.name)
        try:
            source = stored_source(note)
        except RecbenchError:
            # Unknown. What may be the only copy counts as one.
            return f"a file that {note} names, which cannot be read"
        if source is not None and source not in map(describe, file.sources):
            return source
    return None


def total_bytes(files: list[CachedFile]) -> int:
    """Returns the size of files together."""
    return sum(file.n_bytes for file in files)


def _checks() -> list[CachedFile]:
    return [
        CachedFile(Kind.CHECK, path.name, path, status.st_size, status.st_mtime)
        for path, status in _regular_files(home() / "tasks" / "checked")
        if CHECK_NAME.fullmatch(path.name)
    ]


def _left_overs() -> list[CachedFile]:
    tasks, datasets = home() / "tasks", home() / "datasets"
    folders = [*(tasks / folder for folder in TASK_NAMES), *(datasets / name for name in catalogue())]
    left_overs = [
        CachedFile(Kind.LEFT_OVER, path.name, path, status.st_size, status.st_mtime)
        for folder in folders
        for path, status in _regular_files(folder)
        if EARLIER_TEMPORARY_NAME.fullmatch(path.name)
    ]
    for path in _entries(datasets):
        match = EARLIER_GATHERING_NAME.fullmatch(path.name)
        earlier = match is not None and match["name"] in catalogue()
        if (earlier or TEMPORARY_NAME.fullmatch(path.name)) and path.is_dir() and not path.is_symlink():
            inside = [status for folder in (path, *path.rglob("*")) if (status := _status(folder)) is not None]
            n_bytes = sum(status.st_size for status in inside if stat.S_ISREG(status.st_mode))
            newest = max((status.st_mtime for status in inside), default=0)
            left_overs.append(CachedFile(Kind.LEFT_OVER, path.name, path, n_bytes, newest))
    return left_overs


def _can_be_built_again(path: Path) -> bool:
    try:
        spec = task_file.spec_of(path)
    except UnreadableError:
        # Unknown. What may be the only copy counts as one.
        return False
    return spec is not None and isinstance(spec.dataset, CatalogueData | SyntheticData)


def _regular_files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in _entries(folder):
        status = _status(path)
        if status is not None and stat.S_ISREG(status.st_mode):
            yield path, status


def _status(path: Path) -> os.stat_result | None:
    """Returns the status of a file or link; None if it was removed meanwhile."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RecbenchError(
            f"Cannot read the cache folder {folder}: {reason(error)}.",
            advice_to_write(error, "Set the environment variable RECBENCH_HOME to a folder that you may read."),
        ) from error
