"""Where a project keeps its results: accepted baselines and their history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

RESULTS: Final = Path("results")
BASELINES: Final = "baselines"
HISTORY: Final = "history.jsonl"


def results_folder() -> Path:
    """Returns the folder of the project's results, relative to the working folder.

    It is the nearest of ``results_folders``; or, if there is none, ``results`` in the working folder.
    """
    return next(results_folders(), RESULTS)


def results_folders() -> Iterator[Path]:
    """Yields the folders ``results`` with a baseline or a history, relative to the working folder.

    The first is that of the working folder, the last that of the root of the git repository.
    """
    here = Path.cwd()
    above = [here, *here.parents]
    root = next((index for index, folder in enumerate(above) if (folder / ".git").exists()), None)
    for depth, folder in enumerate(above[: (root or 0) + 1]):
        if any((folder / RESULTS / BASELINES).glob("*/*/")) or (folder / RESULTS / HISTORY).is_file():
            yield Path(*[".."] * depth, RESULTS)


def baselines_folder() -> Path:
    """Returns the folder of the accepted records, which lie below it by task and label."""
    return results_folder() / BASELINES


def history_file() -> Path:
    """Returns the file with one line for each accepted record."""
    return results_folder() / HISTORY
