"""A tuning as an object: its tables, data frame, document and pictures."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.escaping.file_names import file_name
from recbench.experiments.python_words import table_in_python
from recbench.output_files import OutputFile
from recbench.reports.formats import Format
from recbench.reports.tuning.document_types import TuningDocument
from recbench.reports.tuning.plots import draw_history, draw_importance, draw_tuning
from recbench.reports.tuning.table import tuning_document, tuning_table
from recbench.tuning.objective import NDCG_AT_10, Objective
from recbench.tuning.past import Budget
from recbench.tuning.result import ModelTuning

if TYPE_CHECKING:
    import pandas as pd

MOVE = "Move that file, or replace it with --force (Python: force=True)."


@dataclass(frozen=True, eq=False)
class Tuning:
    """A finished tuning. In a notebook it shows its table; ``print(tuning)`` shows that of the command line.

    Attributes:
        models: The result of each model.
        budget: Trials and seconds that each model was allowed.
        task: ``Task.summary()`` of the task.
        output: File of the tuned settings.
        storage: SQLite file of all trials.
        importance: By model, the share of the score's variation that each hyper-parameter explains.
        objective: The metric that was maximised on validation cases.
    """

    models: tuple[ModelTuning, ...]
    budget: Budget
    task: dict[str, Any]
    output: Path
    storage: Path
    importance: Mapping[str, Mapping[str, float]]
    objective: Objective = NDCG_AT_10

    @property
    def without_setting(self) -> list[str]:
        """Models with a search space of which no trial was completed."""
        return [model.model for model in self.models if model.space and model.tuned is None]

    @property
    def failed_searches(self) -> list[str]:
        """Models of which only the trial with the defaults was completed."""
        return [model.model for model in self.models if model.tuned is not None and model.search_failed]

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The tuned hyper-parameters by model."""
        return {model.model: dict(model.tuned.parameters) for model in self.models if model.tuned is not None}

    def to_frame(self) -> "pd.DataFrame":
        """Returns one row for each trial: model, trial, how it ended, score, epochs, seconds, hyper-parameters."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "model": model.model,
                    "trial": past.number,
                    "end": past.end.value,
                    self.objective.name: past.score,
                    "epochs": past.epochs,
                    "best_epochs": past.best_epochs,
                    "seconds": past.seconds,
                    "parameters": past.parameters,
                }
                for model in self.models
                for past in model.past
            ]
        )

    def table(self, form: str | Format = Format.TEXT) -> str:
        """Returns the table in a format."""
        return table_in_python(tuning_table(self.models, self.budget, Format(form)), Format(form))

    def document(self) -> TuningDocument:
        """Returns the JSON document."""
        return tuning_document(self.models, self.budget, self.task, str(self.output), str(self.storage))

    def plot(self, path: str | os.PathLike[str] | None = None, *, force: bool = False) -> list[Path]:
        """Draws the history and the importances of each model; returns the pictures.

        Args:
            path: The picture of all models: .png, .svg or .pdf. Without it, each model has pictures of its own beside
                the storage.
            force: Whether to replace files that recbench did not write.

        Raises:
            RecbenchError: matplotlib is not installed, a picture cannot be written, or a file is there that recbench
                did not write.
        """
        tuned = [model for model in self.models if model.space]
        if path is not None:
            return [draw_tuning(tuned, self.importance, OutputFile(Path(path), force))]
        drawn = []
        for tuning in tuned:
            history, importances = pictures(self.storage, self.task["name"], tuning.model, force=force)
            drawn.append(draw_history(tuning, history))
            if importance := self.importance.get(tuning.model):
                drawn.append(draw_importance(tuning.model, importance, importances))
        return drawn

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table(Format.HTML)


def pictures(storage: Path, task: str, model: str, *, force: bool) -> tuple[OutputFile, OutputFile]:
    """Returns the files of a model's pictures: its history, and the importance of its hyper-parameters."""
    base = f"{file_name(task)}--{file_name(model)}"
    history, importance = (storage.with_name(f"{base}--{what}.png") for what in ("history", "importance"))
    return OutputFile(history, force, MOVE), OutputFile(importance, force, MOVE)
