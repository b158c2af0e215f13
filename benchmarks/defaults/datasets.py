"""The datasets on which defaults are chosen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from recbench.errors import RecbenchError
from recbench.experiments.task_source import TaskSource, task_source
from recbench.tasks.tuning_task import tuning_task
from recbench.toml_file import TomlKind

FOLDER = Path(__file__).parent
DATASETS = FOLDER / "datasets.toml"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    stage: Literal[1, 2]
    how_to_import: str = Field("", alias="import")


class _File(RootModel[dict[str, _Entry]]):
    pass


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of the search.

    Attributes:
        name: Its name in tables.
        task: A task's name, or the path of a spec file.
        stage: 1 if every configuration is tried on it, 2 if only the best of stage 1 are.
        how_to_import: The command that imports a task which cannot be built.
    """

    name: str
    task: str | Path
    stage: Literal[1, 2]
    how_to_import: str = ""

    def validation_source(self) -> TaskSource:
        """Returns the task whose cases are the validation cases; it holds no test case.

        Raises:
            RecbenchError: The task is not in the cache and cannot be built.
        """
        try:
            source = task_source(self.task)
        except RecbenchError as error:
            raise RecbenchError(error.message, self.how_to_import or error.hint) from error
        return task_source(tuning_task(source.task))


def read_datasets(path: Path = DATASETS) -> list[Dataset]:
    """Reads the list of datasets, those of stage 1 first.

    Raises:
        RecbenchError: The file cannot be read or is not such a list.
    """
    entries = TomlKind("list of datasets").load(path, _File).root
    datasets = [
        Dataset(
            name,
            path.parent / entry.task if entry.task.endswith(".toml") else entry.task,
            entry.stage,
            entry.how_to_import,
        )
        for name, entry in entries.items()
    ]
    return sorted(datasets, key=lambda dataset: dataset.stage)
