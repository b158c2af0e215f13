"""Where a project keeps its results: accepted baselines and their history."""

from pathlib import Path
from typing import Final

RESULTS: Final = Path("results")
BASELINES: Final = "baselines"
HISTORY: Final = "history.jsonl"


def results_folder() -> Path:
    """Returns the folder of the project's results, relative to the working folder.

    It is ``results`` in the working folder; or, if there is none with baselines or a history, the nearest such folder
    above it in the same git repository. If there is none at all, it is ``results`` in the working folder.
    """
    here = Path.cwd()
    above = [here, *here.parents]
    root = next((index for index, folder in enumerate(above) if (folder / ".git").exists()), None)
    for depth, folder in enumerate(above[: (root or 0) + 1]):
        if (folder / RESULTS / BASELINES).is_dir() or (folder / RESULTS / HISTORY).is_file():
            return Path(*[".."] * depth, RESULTS)
    return RESULTS


def baselines_folder() -> Path:
    """Returns the folder of the accepted records, which lie below it by task and label."""
    return results_folder() / BASELINES


def history_file() -> Path:
    """Returns the file with one line for each accepted record."""
    return results_folder() / HISTORY
