"""One sweep: a run of one model with several values of one hyper-parameter."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.errors import RecbenchError
from recbench.experiments.defaults import DEFAULT_OUTPUT, DEFAULT_TASK
from recbench.experiments.execution import Execution
from recbench.experiments.python_words import table_in_python
from recbench.experiments.results import Run, log_lines
from recbench.experiments.run import check_seeds
from recbench.experiments.task_source import task_source
from recbench.experiments.track import check_history, track
from recbench.experiments.train import Reuse, train
from recbench.output_files import OutputFile
from recbench.path_checks import check_no_file_above
from recbench.progress.choice import Progress, run_progress
from recbench.progress.console import animated
from recbench.records.store import OTHER_FOLDER
from recbench.registry.frameworks import check_frameworks
from recbench.registry.requested import RequestedModel
from recbench.reports.formats import Format
from recbench.reports.sweep.document_types import SweepDocument
from recbench.reports.sweep.points import SweepPoint, sweep_document, sweep_points
from recbench.reports.sweep.table import sweep_table
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.planned import PlannedModel, plan_trials
from recbench.trials.revision import revision_fields

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """What to sweep over.

    Attributes:
        model: The model, with the texts of its other hyper-parameters.
        parameter: The hyper-parameter.
        values: Texts of its values.
        task: A task, its name, or the path of a spec file.
        seeds: The seeds.
        output: Folder of the records.
        reuse: What to do with trials whose records exist.
        execution: Where the trials run.
        track: Whether to append the trials to the project's history.
    """

    model: RequestedModel
    parameter: str
    values: Sequence[str]
    task: Task | str | os.PathLike[str] = DEFAULT_TASK
    seeds: Sequence[int] = (0, 1, 2)
    output: Path = DEFAULT_OUTPUT
    reuse: Reuse = Reuse.KEEP
    execution: Execution = field(default_factory=Execution)
    track: bool = False


@dataclass(frozen=True, eq=False)
class Sweep:
    """A finished sweep. In a notebook it shows its table; ``print(sweep)`` shows that of the command line.

    Attributes:
        run: The run of all its trials.
        parameter: The hyper-parameter.
    """

    run: Run
    parameter: str

    @property
    def points(self) -> list[SweepPoint]:
        """One point for each value."""
        return sweep_points(self.run.report, self.parameter)

    def to_frame(self) -> "pd.DataFrame":
        """Returns the frame of ``run`` with the values of the hyper-parameter as its first column."""
        frame = self.run.to_frame()
        frame.insert(0, self.parameter, [parameters[self.parameter] for parameters in frame["parameters"]])
        return frame

    def document(self) -> SweepDocument:
        """Returns the JSON document."""
        return sweep_document(self.run.report, self.parameter)

    def table(self, form: str | Format = Format.TEXT) -> str:
        """Returns the table in a format."""
        return table_in_python(sweep_table(self.run.report, self.parameter, Format(form)), Format(form))

    def plot(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Draws quality, time, throughput and memory over the values.

        Args:
            path: The picture; its ending is the format: .png, .svg or .pdf.
            force: Whether to replace a file that recbench did not write, or that was edited.

        Raises:
            RecbenchError: matplotlib is not installed, the picture cannot be written, or a file is there that recbench
                did not write.
        """
        from recbench.reports.sweep.plot import draw_sweep

        return draw_sweep(self.run.report, self.parameter, OutputFile(Path(path), force))

    def __repr__(self) -> str:
        return "\n".join([self.table(), *log_lines(self.run.failed, Format.TEXT)])

    def _repr_html_(self) -> str:
        return "\n".join([self.table(Format.HTML), *log_lines(self.run.failed, Format.HTML)])


def sweep(request: SweepRequest, progress: Progress | None = None) -> Sweep:
    """Runs the trials that have no record yet, and returns the sweep.

    Args:
        request: What to sweep over.
        progress: Follows the trials; the default fits the place where they are watched.

    Raises:
        RecbenchError: Bad input, or a folder that cannot be written.
    """
    execution = request.execution
    check_seeds(request.seeds)
    check_no_file_above(request.output, OTHER_FOLDER)
    execution.check()
    if request.track:
        check_history()
    check_frameworks([request.model.reference])
    # An instance brings a value of every hyper-parameter, also of this one.
    others = {name: value for name, value in request.model.values.items() if name != request.parameter}
    requested = [
        replace(
            request.model,
            values=others,
            texts={**request.model.texts, request.parameter: text},
            variant=f"{request.parameter}={text}",
        )
        for text in request.values
    ]
    source = task_source(request.task, progressbar=animated())
    conditions = Conditions(execution.threads, execution.device, **revision_fields())
    progress = progress or run_progress()
    runner = execution.start(source, conditions, progress.on_event)
    try:
        configured = runner.configure(requested)
        _check_distinct(request.parameter, configured)
        trials = plan_trials(configured, request.seeds)
        stored = train(runner, trials, source.task, conditions, request.output, progress.on_event, request.reuse)
    finally:
        runner.close()
        progress.close()
    if request.track:
        track(stored)
    return Sweep(Run(tuple(stored), source.task, conditions.ks, folder=request.output), request.parameter)


def _check_distinct(name: str, configured: Sequence[PlannedModel]) -> None:
    """Checks that no value was written in two ways, such as 0.1 and 0.10."""
    values = [model.parameters[name] for model in configured]
    for place, value in enumerate(values):
        if value in values[:place]:
            raise RecbenchError(
                f"--param {name}: {configured[place].requested.texts[name]} is given twice.",
                "Give each value once.",
            )
