"""The records of a suite on disk: a folder for each task, and ``suite.toml``, which says what belongs to the suite.

    FOLDER/suite.toml
    FOLDER/TASK/*.json, *.npz

The results of several people or machines lie beside each other, each in such a folder: ``results/suites/SUITE/WHO/``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from recbench.data.cache import atomic_path
from recbench.errors import NothingToCompareError, RecbenchError
from recbench.escaping.file_names import file_name
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import TaskIdentity
from recbench.records.selection import read_records
from recbench.records.suite_layout import MANIFEST, record_folders, suite_folders
from recbench.toml_file import TomlKind

MANIFEST_FILE = TomlKind("list of a suite's tasks", "It is written by: recbench suite run", "Run the suite again.")


class Manifest(BaseModel):
    """The tasks of a suite, whether their records exist or not.

    Attributes:
        name: The name of the suite.
        metric: The metric that ranks its models.
        tasks: Its tasks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    metric: str
    tasks: tuple[TaskIdentity, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, eq=False)
class SuiteRecords:
    """The records that one person or machine has of a suite.

    Attributes:
        source: Whose they are: the name of the folder.
        folder: The folder.
        manifest: What belongs to the suite; None in a folder that only has records.
        trials: The trials of all tasks.
    """

    source: str
    folder: Path
    manifest: Manifest | None
    trials: tuple[FinishedTrial, ...]


def task_folder(folder: Path, task: str) -> Path:
    """Returns the folder of a task's records in the folder of a suite."""
    return folder / file_name(task)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes what belongs to a suite.

    Raises:
        RecbenchError: The folder holds another suite, or cannot be written.
    """
    path = folder / MANIFEST
    present = read_manifest(folder)
    if present is not None and present.name != manifest.name:
        raise RecbenchError(
            f"{folder} holds the suite {present.name!r}, not {manifest.name!r}.", "Choose another folder with -o."
        )
    content = manifest.model_dump(mode="json")
    if present is None or present.model_dump(mode="json") != content:
        with atomic_path(path) as temporary:
            temporary.write_text(tomli_w.dumps(content), encoding="utf-8", newline="\n")


def read_manifest(folder: Path) -> Manifest | None:
    """Returns what belongs to the suite of a folder; None without the file.

    Raises:
        RecbenchError: The file breaks the schema.
    """
    path = folder / MANIFEST
    return MANIFEST_FILE.load(path, Manifest) if path.is_file() else None


def read_suites(folders: Sequence[Path]) -> list[SuiteRecords]:
    """Reads the records of a suite, and checks that their figures follow from their ranks.

    Args:
        folders: Folders of suites, folders that hold them, or other folders of records.

    Raises:
        RecbenchError: A folder does not exist, a record is broken or inconsistent, or two folders have one name.
        NothingToCompareError: A folder has no records.
    """
    paths = list(dict.fromkeys(path for folder in folders for path in suite_folders(_existing(folder))))
    names = [path.resolve().name for path in paths]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise RecbenchError(
                f"Two folders are called {name!r}: {paths[names.index(name)]} and {paths[number]}.",
                "Rename one of them: the names distinguish the sources in tables.",
            )
    return [_read(path, name) for path, name in zip(paths, names, strict=True)]


def read_folder(folder: Path) -> tuple[FinishedTrial, ...]:
    """Returns the trials of a folder of records, also if a label has its name.

    Raises:
        RecbenchError: A record is broken, inconsistent, or without its ranks.
    """
    return read_records(str(folder) if folder.is_absolute() else f"./{folder}").trials


def _read(folder: Path, source: str) -> SuiteRecords:
    trials = tuple(trial for record_folder in record_folders(folder) for trial in read_folder(record_folder))
    if not trials:
        raise NothingToCompareError(
            f"There are no records in {folder}.", "They are written by: recbench suite run SUITE -o FOLDER"
        )
    return SuiteRecords(source, folder, read_manifest(folder), trials)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise RecbenchError(
            f"{folder} is not a folder.", "Name the folder of a suite's records: recbench suite report FOLDER"
        )
    return folder
