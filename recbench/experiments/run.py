"""One run: train each model on a task, rank the same candidates with each, and collect the records."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.experiments.cut_offs import check_cut_offs, check_lists
from recbench.experiments.defaults import DEFAULT_OUTPUT, DEFAULT_TASK, MAX_SEED, MAX_SEEDS
from recbench.experiments.execution import Execution
from recbench.experiments.results import Run
from recbench.experiments.task_source import TaskSource, task_source
from recbench.experiments.track import check_history, track
from recbench.experiments.train import Reuse, train
from recbench.path_checks import check_no_file_above
from recbench.progress.choice import Progress, run_progress
from recbench.progress.console import animated
from recbench.records.store import OTHER_FOLDER
from recbench.registry.requested import RequestedModel
from recbench.registry.settings_used import SettingsInMemory, SettingsUsed, use_settings
from recbench.reports.run.settings_notes import other_task
from recbench.runners.base import Runner
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.machine import library_settings
from recbench.trials.planned import PlannedModel, PlannedTrial, plan_trials
from recbench.trials.revision import revision_fields
from recbench.trials.serving_plan import ServingPlan

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run.

    Attributes:
        models: The models.
        task: A task, its name, or the path of a spec file.
        seeds: The seeds.
        ks: Cut-offs.
        measures: The metrics of the table; None for HR and NDCG at the cut-offs, and in a full ranking also metrics of
            users.
        settings: ``tuned``, ``default``, a file of tuned settings, or the settings themselves; None for defaults,
            without a note.
        curve: The epochs after which to score as well; None for no learning curve.
        reach: HR for which the table shows how long each model took to reach it.
        full: Whether to rank each case's item in the full ranking too. A measure of the full ranking implies it.
        serving: How to measure the trained models in use; None for not at all.
        output: Folder of the records.
        reuse: What to do with trials whose records exist.
        execution: Where the trials run.
        track: Whether to append the trials to the project's history.
    """

    models: Sequence[RequestedModel]
    task: Task | str | os.PathLike[str] = DEFAULT_TASK
    seeds: Sequence[int] = (0, 1, 2)
    ks: tuple[int, ...] = (10,)
    measures: tuple[Measure, ...] | None = None
    settings: str | SettingsInMemory | None = None
    curve: CurveEpochs | None = None
    reach: float | None = None
    full: bool = False
    serving: ServingPlan | None = None
    output: Path = DEFAULT_OUTPUT
    reuse: Reuse = Reuse.KEEP
    execution: Execution = field(default_factory=Execution)
    track: bool = False

    @property
    def ranks_all_items(self) -> bool:
        """Whether each case's item is ranked in the full ranking too."""
        return self.full or any(measure.ranking is Ranking.FULL for measure in self.measures or ())

    def __post_init__(self) -> None:
        if not self.models:
            raise RecbenchError("There is no model to run.", "For example: --models popularity,bpr")
        if self.reach is not None and self.curve is None:
            raise RecbenchError("--reach needs a learning curve.", "Add --curve all, or --curve every:10.")
        check_seeds(self.seeds)
        check_cut_offs(self.ks)
        self.execution.check()


def check_seeds(seeds: Sequence[int]) -> None:
    """Checks that seeds can be used.

    Raises:
        RecbenchError: There is none, there are too many, one occurs twice, or one is negative or too large.
    """
    if not seeds:
        raise RecbenchError("There is no seed.", "Use at least one: --seeds 1")
    if seeds[MAX_SEEDS:]:
        raise RecbenchError(f"There are more than {MAX_SEEDS:,} seeds.", "Use fewer: --seeds 3")
    if len(set(seeds)) < len(seeds):
        raise RecbenchError("A seed occurs twice.", "Give each seed once.")
    if min(seeds) < 0:
        raise RecbenchError("A seed is negative.", "Use seeds from 0 up.")
    if max(seeds) > MAX_SEED:
        raise RecbenchError(f"The seeds would go beyond {MAX_SEED}.", "Use a smaller --seed.")


def run(request: RunRequest, progress: Progress | None = None) -> Run:
    """Runs the trials that have no record yet, and returns the run with all its trials.

    Args:
        request: What to run.
        progress: Follows the run; the default fits the place where the run is watched.

    Raises:
        RecbenchError: Bad input, or a folder that cannot be written.
    """
    check_no_file_above(request.output, OTHER_FOLDER)
    if request.track:
        check_history()
    with _Prepared(request, progress) as prepared:
        trials = prepared.trials()
        stored = train(
            prepared.runner,
            trials,
            prepared.source.task,
            prepared.conditions,
            request.output,
            prepared.progress.on_event,
            request.reuse,
        )
    if request.track:
        track(stored)
    return Run(
        tuple(stored),
        prepared.source.task,
        request.ks,
        reach=request.reach,
        settings=prepared.settings_used,
        folder=request.output,
        measures=request.measures,
    )


def planned_trials(request: RunRequest, progress: Progress | None = None) -> tuple[Task, list[PlannedTrial]]:
    """Returns the task and the trials that ``run`` would report, without training anything.

    Args:
        request: What would run.
        progress: Follows the imports of the models.

    Raises:
        RecbenchError: Bad input.
    """
    with _Prepared(request, progress) as prepared:
        return prepared.source.task, prepared.trials()


class _Prepared:
    """A run whose task is loaded and whose runner is open.

    Args:
        request: What to run.
        progress: Follows the run.
    """

    def __init__(self, request: RunRequest, progress: Progress | None) -> None:
        execution = request.execution
        if execution.in_process:
            # This process trains: the libraries read these variables when they are loaded.
            os.environ.update(library_settings(execution.threads, execution.device))
        self.source: TaskSource = task_source(request.task, progressbar=animated())
        check_lists(self.source.task, request.ks, request.measures, full=request.ranks_all_items)
        self._models: Sequence[RequestedModel] = request.models
        self.settings_used: SettingsUsed | None = None
        if request.settings is not None:
            self._models, self.settings_used = use_settings(
                request.settings, request.models, self.source.facts.identity
            )
        self.conditions = Conditions(
            execution.threads,
            execution.device,
            request.ks,
            request.curve,
            request.ranks_all_items,
            serving=request.serving,
            **revision_fields(),
        )
        self._seeds = request.seeds
        self.progress = progress or run_progress()
        self.runner: Runner = execution.start(self.source, self.conditions, self.progress.on_event)

    def __enter__(self) -> "_Prepared":
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.close()
        self.progress.close()

    def trials(self) -> list[PlannedTrial]:
        """Lets every model check its hyper-parameters, and returns the plan."""
        return plan_trials(self._configured(), self._seeds)

    def _configured(self) -> list[PlannedModel]:
        used = self.settings_used
        if used is None or not used.path:
            return self.runner.configure(self._models)
        if used.of_another_task:
            log.warning("Warning: %s", other_task(used))
        for parameter in used.overridden:
            log.info(
                "--param %s.%s=%s takes precedence over the tuned value %s.",
                parameter.model,
                parameter.name,
                parameter.given,
                parameter.tuned,
            )
        try:
            return self.runner.configure(self._models)
        except RecbenchError as error:
            source = f"Parameters that --param does not give come from {used.path}."
            raise RecbenchError(error.message, f"{error.hint}\n{source}") from error
