"""Where the records of a suite are: a folder for each task, beside the file that lists the tasks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from recbench.records.store import RECORDS, REPLACED

MANIFEST: Final = "suite.toml"


def is_suite(folder: Path) -> bool:
    """Whether a folder holds the records of a suite, of one source."""
    return (folder / MANIFEST).is_file()


def suite_folders(folder: Path) -> list[Path]:
    """Returns the folder, or the folders of several sources in it."""
    below = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    return [folder] if is_suite(folder) or not below else below


def record_folders(folder: Path) -> Iterator[Path]:
    """Yields the folders of records in a folder, without results that failed trials have replaced."""
    folders = {path.parent for path in folder.rglob(RECORDS)}
    yield from sorted(path for path in folders if path.name != REPLACED and not path.name.startswith("."))
