"""A run on all replicas of a task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from recbench.arguments import TEXT, read_argument, read_column_names
from recbench.errors import NothingToCompareError, RecbenchError
from recbench.experiments.python_words import table_in_python
from recbench.experiments.results import Run
from recbench.experiments.run import RunRequest, run
from recbench.progress.choice import Progress
from recbench.records.finished_trial import FinishedTrial
from recbench.reports.column_choice import chosen_view
from recbench.reports.formats import Format
from recbench.reports.run.replica_document_types import ReplicasDocument
from recbench.reports.run.replicas import (
    REPLICA_COLUMNS,
    ReplicasReport,
    replicas_document,
    replicas_report,
    replicas_table,
)
from recbench.tasks.replicas import base_name, load_replicas, replica_names, what_varies
from recbench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ReplicatedRun:
    """The runs on all replicas of a task.

    Attributes:
        runs: One for each replica, of the same models.
    """

    runs: tuple[Run, ...]

    def __post_init__(self) -> None:
        if len(self.runs) < 2:
            raise NothingToCompareError("There are fewer than two replicas.", "Set replicas = 5 in the spec.")
        if len({base_name(run.task.name) for run in self.runs}) > 1 or len(
            {run.task.digest for run in self.runs}
        ) < len(self.runs):
            raise RecbenchError(
                "The runs are not of different replicas of one task.",
                "Run each replica once: recbench.replica_names(SPEC) lists them.",
            )

    @cached_property
    def report(self) -> ReplicasReport:
        """The figures, computed from the ranks."""
        return replicas_report([run.report for run in self.runs], what_varies(self.runs[0].task.spec))

    @property
    def failed(self) -> list[FinishedTrial]:
        """Trials that failed, on any replica."""
        return [trial for run in self.runs for trial in run.failed]

    def table(
        self,
        form: str | Format = Format.TEXT,
        *,
        columns: str | Sequence[str] | None = None,
        sort: str | None = None,
    ) -> str:
        """Returns the table of the command line.

        Args:
            form: ``text``, ``markdown``, ``csv``, ``latex`` or ``html``.
            columns: Show these columns, in this order, such as ``["model", "mean", "total-sd"]``; None for all. CSV
                always has all columns.
            sort: Sort rows by this column, the best first; None for the order of the models. CSV keeps its order.

        Raises:
            RecbenchError: A column is unknown, or is named twice.
        """
        chosen = None if columns is None else read_column_names(columns)
        by = None if sort is None else read_argument("sort", TEXT, sort, 'For example: sort="mean"')
        view = chosen_view(chosen, by, REPLICA_COLUMNS, options=("columns", "sort"))
        return table_in_python(replicas_table(self.report, Format(form), view), Format(form))

    def document(self) -> ReplicasDocument:
        """Returns the JSON document of ``recbench run --json`` for a task with replicas."""
        return {
            "schema": 1,
            "task": base_name(self.runs[0].task.name),
            "varies": self.report.varies,
            "results": replicas_document(self.report),
            "notes": self.report.notes,
            "runs": [run.document() for run in self.runs],
        }

    def to_frame(self) -> "pd.DataFrame":
        """Returns one row for each replica, trial and metric: the columns of ``Run.to_frame``, and task."""
        import pandas as pd

        return pd.concat([run.to_frame().assign(task=run.task.name) for run in self.runs], ignore_index=True)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table(Format.HTML)


def run_on_replicas(request: RunRequest, progress: Callable[[], Progress]) -> ReplicatedRun:
    """Runs all models on each replica, one replica after the other; records that exist are kept.

    Args:
        request: What to run; its task is the path of a spec file with replicas.
        progress: Makes what follows the run on one replica.

    Raises:
        RecbenchError: See ``run`` and ``load_replicas``.
    """
    assert not isinstance(request.task, Task)
    # Before any training, so that a spec that draws nothing is refused at once.
    load_replicas(request.task)
    return ReplicatedRun(tuple(run(replace(request, task=name), progress()) for name in replica_names(request.task)))
