"""One suite: several tasks and one set of models, run with the machinery of single runs, and summed up together."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import parse_measure
from recbench.experiments.cut_offs import check_lists
from recbench.experiments.defaults import N_SEEDS
from recbench.experiments.execution import Execution
from recbench.experiments.results import Run
from recbench.experiments.run import RunRequest, run
from recbench.experiments.task_source import task_source
from recbench.experiments.train import Reuse
from recbench.progress.choice import Progress, run_progress
from recbench.progress.console import animated
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import TaskIdentity
from recbench.records.suite_folder import Manifest, SuiteRecords, read_suites, task_folder, write_manifest
from recbench.registry.requested import RequestedModel
from recbench.registry.settings_used import use_settings
from recbench.reports.formats import Format
from recbench.reports.run.settings_notes import settings_notes_of_tasks
from recbench.reports.suite.document import suite_document
from recbench.reports.suite.document_types import SuiteDocument
from recbench.reports.suite.suite_report import SuiteReport, suite_report
from recbench.reports.suite.table import suite_table
from recbench.tasks.replicas import replica_names
from recbench.tasks.suite_spec import DEFAULT_METRIC, LEAST_TASKS
from recbench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

SUITES_FOLDER = Path("results/suites")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRequest:
    """What to run.

    Attributes:
        name: The name of the suite.
        tasks: Tasks, their names, or paths of spec files.
        models: The models, the same on every task.
        metric: The metric that ranks the models.
        seeds: The seeds.
        settings: ``tuned``, ``default`` or a file of tuned settings; None for defaults.
        output: Folder of the suite; None for ``results/suites/NAME/local``.
        reuse: What to do with trials whose records exist.
        execution: Where the trials run.
        track: Whether to append the trials to the project's history.
    """

    name: str
    tasks: Sequence[Task | str | os.PathLike[str]]
    models: Sequence[RequestedModel]
    metric: str = DEFAULT_METRIC
    seeds: Sequence[int] = tuple(range(N_SEEDS))
    settings: str | None = None
    output: Path | None = None
    reuse: Reuse = Reuse.KEEP
    execution: Execution = field(default_factory=Execution)
    track: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the suite's records."""
        return self.output or SUITES_FOLDER / self.name / "local"


@dataclass(frozen=True, eq=False)
class Suite:
    """The results of a suite. In a notebook it shows its tables; ``print(suite)`` shows those of the command line.

    Attributes:
        name: The name of the suite.
        measure: The metric that ranks the models.
        sources: The records of each source.
        models: Only these models are shown; None for all.
        runs: The run on each task; empty if the records were read from folders.
    """

    name: str
    measure: Measure
    sources: tuple[SuiteRecords, ...]
    models: tuple[str, ...] | None = None
    runs: tuple[Run, ...] = ()

    @cached_property
    def report(self) -> SuiteReport:
        """The figures, computed from the ranks.

        Raises:
            RecbenchError: The records are of different tasks of one name, or ranks are missing.
            NothingToCompareError: Fewer than two models, or no two tasks that all models have.
        """
        settings = settings_notes_of_tasks(
            [
                (run.task.name, run.settings, [trial.record for trial in run.trials])
                for run in self.runs
                if run.settings is not None
            ]
        )
        return suite_report(self.name, self.sources, self.measure, self.models, settings_notes=settings)

    @property
    def failed(self) -> list[FinishedTrial]:
        """Trials that failed, on any task."""
        return [trial for run in self.runs for trial in run.failed]

    def metric(self, name: str) -> "Suite":
        """Returns the same suite ranked by another metric, such as ``"hr@5"`` or ``"full-recall@20"``."""
        return Suite(self.name, parse_measure(name), self.sources, self.models, self.runs)

    def to_frame(self) -> "pd.DataFrame":
        """Returns one row for each model and task that all models have.

        Columns: task, model, source, score, rank, mean_rank, mean_rank_low, mean_rank_high, relative_score,
        relative_score_low, relative_score_high, fit_seconds (the geometric mean over tasks).
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "task": task.name,
                    "model": standing.name,
                    "source": standing.source,
                    "score": score,
                    "rank": rank,
                    "mean_rank": standing.mean_rank,
                    "mean_rank_low": standing.rank_interval.low,
                    "mean_rank_high": standing.rank_interval.high,
                    "relative_score": standing.relative_score,
                    "relative_score_low": standing.score_interval.low,
                    "relative_score_high": standing.score_interval.high,
                    "fit_seconds": standing.fit_seconds,
                }
                for standing in self.report.standings
                for task, score, rank in zip(self.report.tasks, standing.scores, standing.ranks, strict=True)
            ]
        )

    def table(self, form: str | Format = Format.TEXT) -> str:
        """Returns what ``recbench suite report`` prints, in a format."""
        return suite_table(self.report, Format(form))

    def document(self) -> SuiteDocument:
        """Returns the JSON document of ``recbench suite report --json``."""
        return suite_document(self.report)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table(Format.HTML)


def run_suite(request: SuiteRequest, progress: Callable[[], Progress] = run_progress) -> Suite:
    """Runs the trials that have no record yet, one task after the other, and returns the suite.

    All tasks are loaded before anything is trained.

    Args:
        request: What to run.
        progress: Makes what follows the run on one task.

    Raises:
        RecbenchError: Bad input, or a folder that cannot be written.
    """
    measure = parse_measure(request.metric)
    for name in request.tasks:
        _check_no_replicas(name)
    tasks = [task_source(task, progressbar=animated()).task for task in request.tasks]
    _check_tasks(tasks, measure)
    requests = [
        RunRequest(
            models=request.models,
            task=task,
            seeds=request.seeds,
            measures=(measure,),
            settings=request.settings,
            output=task_folder(request.folder, task.name),
            reuse=request.reuse,
            execution=request.execution,
            track=request.track,
        )
        for task in tasks
    ]
    identities = tuple(TaskIdentity(name=task.name, digest=task.digest) for task in tasks)
    if request.settings is not None:
        for identity in identities:
            # Raises an error if no model was tuned on the task.
            use_settings(request.settings, (), identity)
    manifest = Manifest(name=request.name, metric=measure.name, tasks=identities)
    write_manifest(request.folder, manifest)
    runs = tuple(run(request, progress()) for request in requests)
    trials = tuple(trial for run in runs for trial in run.trials)
    source = SuiteRecords(request.folder.name, request.folder, manifest, trials)
    return Suite(request.name, measure, (source,), runs=runs)


def load_suite(
    folders: Sequence[str | os.PathLike[str]], metric: str | None = None, models: Sequence[str] | None = None
) -> Suite:
    """Reads the records of a suite.

    Args:
        folders: Folders of suites, folders that hold them, or other folders of records.
        metric: The metric that ranks the models; None for that of the suite.
        models: Only these models; None for all.

    Raises:
        RecbenchError: The records cannot be read, or the folders are of different suites.
        NothingToCompareError: There are no records.
    """
    sources = read_suites([Path(folder) for folder in folders])
    manifests = [source.manifest for source in sources if source.manifest is not None]
    names = list(dict.fromkeys(manifest.name for manifest in manifests))
    metrics = list(dict.fromkeys(manifest.metric for manifest in manifests))
    if len(names) > 1:
        raise RecbenchError(
            f"These folders hold different suites: {', '.join(names)}.", "Name the folders of one suite."
        )
    if metric is None and len(metrics) > 1:
        raise RecbenchError(
            f"These folders rank models by different metrics: {', '.join(metrics)}.",
            f"Choose one: --metric {metrics[0]}",
        )
    name = names[0] if names else sources[0].source
    measure = parse_measure(metric or (metrics[0] if metrics else DEFAULT_METRIC))
    return Suite(name, measure, tuple(sources), None if models is None else tuple(models))


def _check_no_replicas(task: Task | str | os.PathLike[str]) -> None:
    if not isinstance(task, Task) and replica_names(task):
        raise RecbenchError(
            f"{task} has replicas, which do not count as separate tasks in a mean over tasks.",
            f"Name one of them: {task}@0",
        )


def _check_tasks(tasks: Sequence[Task], measure: Measure) -> None:
    """Checks that tasks make a suite.

    Raises:
        RecbenchError: There are fewer than two, one occurs twice, or the metric cannot be computed on all of them.
    """
    if len(tasks) < LEAST_TASKS:
        raise RecbenchError(
            f"A suite has at least {LEAST_TASKS} tasks, and there {'is one' if tasks else 'is none'}.",
            "For one task: recbench run",
        )
    for number, task in enumerate(tasks):
        for other in tasks[:number]:
            if other.name == task.name or other.digest == task.digest:
                same = "occurs twice" if other.name == task.name else f"is the same task as {other.name}"
                raise RecbenchError(f"The task {task.name} {same}: {task.digest[:19]}.", "Give each task only once.")
    problems = []
    for task in tasks:
        try:
            check_lists(task, (), (measure,), full=False)
        except RecbenchError as error:
            problems.append(f"{task.name} ({error.message.removeprefix(f'{measure.name}: ').rstrip('.')})")
    if problems:
        raise RecbenchError(
            f"{measure.name} cannot be computed on every task, and a suite has one metric for all: "
            f"{'; '.join(problems)}.",
            f'Set a metric that every task has, such as metric = "{DEFAULT_METRIC}".',
        )
