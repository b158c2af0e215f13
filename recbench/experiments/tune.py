"""One tuning: search good hyper-parameters of each model on validation cases, with one budget for every model."""

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recbench.data.cache import home, locked_file
from recbench.data.file_use import hold
from recbench.errors import RecbenchError, unknown_name
from recbench.experiments.defaults import DEFAULT_TASK, TUNING_FOLDER
from recbench.experiments.execution import Execution
from recbench.experiments.task_source import TaskSource, task_source
from recbench.experiments.tuning import Tuning, pictures
from recbench.output_files import BY_NAME, OutputFile
from recbench.path_checks import check_no_file_above, check_no_folder
from recbench.process_locks import LockHeldError, lock_held
from recbench.progress.choice import Progress, tuning_progress
from recbench.progress.console import animated
from recbench.protocol import PROTOCOL_VERSION
from recbench.records import tuned_settings
from recbench.records.schema import TaskIdentity, class_identity
from recbench.records.tuned_settings import TunedModel, TunedSettings
from recbench.registry.models import Origin
from recbench.registry.parameter_values import as_text
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Runner
from recbench.system_errors import advice_to_write, reason
from recbench.tasks import task_file
from recbench.tasks.named_specs import builtin_specs
from recbench.tasks.names import SUFFIX
from recbench.tasks.task import Task
from recbench.tasks.tuning_task import tuning_task
from recbench.trials.conditions import Conditions
from recbench.trials.energy import EnergyMeter
from recbench.trials.events import Event, EventKind, IsWanted, Notify, ignore
from recbench.trials.planned import PlannedModel
from recbench.trials.revision import revision_fields
from recbench.tuning.known_configurations import Data, space_for
from recbench.tuning.objective import EPOCHS, NDCG_AT_10, Objective, curve_epochs, longest, main_objective
from recbench.tuning.past import Budget, SoFar, counts
from recbench.tuning.result import ModelTuning, model_tuning
from recbench.tuning.space_check import settings_to_check
from recbench.tuning.space_proposal import NoSpaceError, proposed_space
from recbench.tuning.spaces import (
    ARGUMENT_FORM,
    PLACE,
    ModelSpace,
    check_names,
    own_spaces,
    read_spaces,
    spaces_of,
)
from recbench.tuning.study import Study, usable
from recbench.tuning.tuner import Tuner

log = logging.getLogger(__name__)

OTHER_STORAGE = "Choose another file: --storage FILE."
ARGUMENT = "the argument spaces"
"""How errors name search spaces that a program passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneRequest:
    """What to tune.

    Attributes:
        models: The models.
        task: A task, its name, or the path of a spec file.
        budget: Trials and seconds that each model may use.
        seed: Seed of the search and of every training.
        spaces: File of search spaces, or what such a file holds; they take precedence over those that come with the
            models, model by model.
        storage: SQLite file of all trials; None for ``results/tuning/TASK.db``.
        output: File of the tuned settings; None for ``results/settings/TASK.toml``, which ``--settings tuned`` reads.
        force: Whether to replace files that recbench did not write, and settings of another task.
        metric: What is maximised on validation cases, such as ``full-recall@20``; None for the task's main metric.
        importance: Whether to compute how much each hyper-parameter matters.
        picture: The picture of all models that is drawn later; None for pictures beside the storage.
        execution: Where the trials run.
    """

    models: Sequence[RequestedModel]
    task: Task | str | os.PathLike[str] = DEFAULT_TASK
    budget: Budget
    seed: int = 0
    spaces: Path | Mapping[str, Any] | None = None
    storage: Path | None = None
    output: Path | None = None
    force: bool = False
    metric: str | None = None
    importance: bool = False
    picture: OutputFile | None = None
    execution: Execution = field(default_factory=Execution)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A model that is to be tuned, and its study."""

    model: PlannedModel
    space: ModelSpace
    conditions: Conditions
    study: Study


def tune(request: TuneRequest, progress: Progress | None = None) -> Tuning:
    """Tunes the models one after the other, and writes each model's setting as soon as it is found.

    Args:
        request: What to tune.
        progress: Follows the trials; the default fits the place where they are watched.

    Raises:
        RecbenchError: Bad input, or a file that cannot be written.
    """
    execution = request.execution
    execution.check()
    if not math.isfinite(request.budget.seconds):
        raise RecbenchError("The budget must be a finite number of seconds.", "For example: --budget 3600")
    if any(model.label or model.given for model in request.models):
        raise RecbenchError(
            "A tuning does not accept labels or hyper-parameter values.",
            "Fix a value in the file of search spaces: --spaces FILE",
        )
    objective = None if request.metric is None else Objective.parse(request.metric)
    where = PLACE if request.spaces is None else str(request.spaces) if isinstance(request.spaces, Path) else ARGUMENT
    spaces = {**own_spaces(), **_given_spaces(request)}
    searched = _searched(request.models, spaces, where)
    source = task_source(request.task, progressbar=animated())
    task, identity = source.task, source.facts.identity
    output = OutputFile(request.output or tuned_settings.project_settings_path(task.name), request.force)
    _present(output, identity)
    validation = tuning_task(task)
    objective = objective or main_objective(task)
    objective.check(task)
    if (caution := objective.caution(task)) is not None:
        log.info("%s", caution)
    seen = _validation_source(validation)
    conditions = Conditions(
        execution.threads,
        execution.device,
        (objective.measure.k or 10,),
        curve_measure=objective.curve_measure,
        catalogue=objective.full_ranking,
        **revision_fields(),
    )

    def start(conditions: Conditions, notify: Notify, is_wanted: IsWanted) -> Runner:
        return execution.start(seen, conditions, notify, is_wanted)

    runner = execution.start(seen, conditions, progress.on_event if progress else ignore)
    planned = _configured(runner, searched or request.models)
    if not searched:
        # Here, because only the process of a model knows its hyper-parameters.
        raise NoSpaceError(
            f"None of these models has parameters in {where}.",
            {model.name: proposed_space(model.parameters, model.integers) for model in planned},
        )
    for model in planned:
        check_names(spaces[model.name].parameters, model.name, model.parameters, where)
    spaces = {model.name: spaces[model.name].decided(model.integers) for model in planned}
    spaces = _with_known_from_other_data(spaces, list(spaces), task)
    _check_types(execution.start(seen, conditions, ignore), planned, spaces, where)
    storage = request.storage or TUNING_FOLDER / f"{task.name}.db"
    if request.importance and request.picture is None:
        for model in planned:
            for picture in pictures(storage, task.name, model.name, force=request.force):
                picture.check()
    results = {
        model.reference.name: ModelTuning(model.reference.name, {}, objective=objective) for model in request.models
    }
    importance: dict[str, Mapping[str, float]] = {}
    with _locked(storage), usable(storage):
        studies = [
            _open(request, storage, identity, model, spaces[model.name], conditions, objective) for model in planned
        ]
        progress = progress or tuning_progress(request.budget)
        meter = None if execution.cluster else EnergyMeter()
        tuner = Tuner(
            seen.facts, start, request.seed, request.budget, storage.parent, progress.on_event, meter, objective
        )
        try:
            for number, study in enumerate(studies):
                progress.on_event(_planned(request.budget, studies, number, objective))
                tuner.tune(study.study, study.model, study.conditions)
                past = study.study.past()
                began = study.study.began
                result = model_tuning(
                    study.model, study.space, past, request.budget, request.seed, execution.threads, began, objective
                )
                result = replace(result, tuned=_written(result, output, identity))
                results[result.model] = result
                if request.importance:
                    importance[result.model] = study.study.importance()
        finally:
            progress.close()
    return Tuning(tuple(results.values()), request.budget, task.summary(), output.path, storage, importance, objective)


def _planned(budget: Budget, studies: Sequence[_Opened], number: int, objective: Objective) -> Event:
    """Returns the event that a model's tuning begins, with the trials of all models that have ended."""
    past = [study.study.past() for study in studies]
    ended = sum(counts(trials).ended for trials in past)
    total = budget.trials * len(studies)
    so_far = SoFar(past[number], objective.label)
    return Event(EventKind.PLANNED, name=studies[number].model.name, total=total, done=ended, result=so_far)


def _with_known_from_other_data(
    spaces: Mapping[str, ModelSpace], models: Sequence[str], task: Task
) -> dict[str, ModelSpace]:
    """Returns the models' spaces, without the known configurations that were found on the task's data."""
    data, extended = Data.of(task, builtin_specs()), {}
    for model in models:
        extended[model], skipped = space_for(model, spaces[model], data)
        for line in skipped:
            log.info("%s", line)
    return extended


def _given_spaces(request: TuneRequest) -> dict[str, ModelSpace]:
    """Returns the search spaces that the user gave.

    Raises:
        RecbenchError: They cannot be read, or an argument names a model that is not tuned. A file may be for several
            tunings.
    """
    if request.spaces is None:
        return {}
    if isinstance(request.spaces, Path):
        return read_spaces(request.spaces)
    given = spaces_of(request.spaces, ARGUMENT, ARGUMENT_FORM)
    names = {model.reference.name for model in request.models}
    for name in given:
        if name not in names:
            raise unknown_name(f"model of {ARGUMENT}", name, names)
    return given


def _searched(
    requested: Sequence[RequestedModel], spaces: Mapping[str, ModelSpace], where: str
) -> list[RequestedModel]:
    """Returns the models that have something to tune, and names the others, unless there are no others."""
    searched = [model for model in requested if (space := spaces.get(model.reference.name)) and space.parameters]
    for model in requested if searched else ():
        if model not in searched:
            # A builtin model without a space has no hyper-parameters. A user's model may have some: untuned beside
            # tuned models, it would be at a disadvantage.
            level = logging.INFO if model.reference.origin is Origin.BUILTIN else logging.WARNING
            log.log(level, "%s has no parameters in %s, and is not tuned.", model.reference.name, where)
    return searched


def _validation_source(seen: Task) -> TaskSource:
    """Stores the task without test cases in a file of its own, from which trials read it."""
    path = home() / "tasks" / "tuning" / f"{seen.name}-{seen.digest[7:19]}{SUFFIX}"
    task_file.save(seen, path)
    hold(path)
    return TaskSource(seen, path)


def _configured(runner: Runner, requested: Sequence[RequestedModel]) -> list[PlannedModel]:
    try:
        return runner.configure(requested)
    finally:
        runner.close()


def _check_types(runner: Runner, planned: Sequence[PlannedModel], spaces: Mapping[str, ModelSpace], where: str) -> None:
    """Checks that models take the values of their spaces: otherwise each of their trials would fail.

    Raises:
        RecbenchError: A model does not; the message names the parameter and the value.
    """
    models = [
        RequestedModel(model.reference, {name: as_text(value) for name, value in setting.items()})
        for model in planned
        for setting in settings_to_check(spaces[model.name].parameters, model.parameters)
    ]
    try:
        if models:
            runner.configure(models)
    except RecbenchError as error:
        raise RecbenchError(
            f"A model does not take a value of its search space in {where}: {error.message}",
            "Correct the space. For whole numbers, for example: factors = { low = 8, high = 64, integer = true }",
        ) from error
    finally:
        runner.close()


def _open(
    request: TuneRequest,
    storage: Path,
    identity: TaskIdentity,
    model: PlannedModel,
    space: ModelSpace,
    conditions: Conditions,
    objective: Objective,
) -> _Opened:
    most = longest(space.parameters, model.parameters)
    same = {
        "task digest": identity.digest,
        "model": class_identity(model.reference.recorded),
        "source of the model": str(model.code_version),
        "protocol version": str(PROTOCOL_VERSION),
        "search space": space.text(),
        "seed": str(request.seed),
        "threads": str(conditions.threads),
        "device": conditions.device,
    }
    if objective != NDCG_AT_10:
        # Storages of earlier versions do not name it.
        same["metric"] = objective.name
    study = Study(storage, model.name, same, space, model.parameters, request.seed, most)
    study.name_objective(objective.name)
    # Without the parameter, no trial can be repeated up to its best epoch, and scoring epochs would only take time.
    curve = curve_epochs(most, objective) if EPOCHS in model.parameters else None
    return _Opened(model, space, replace(conditions, curve=curve), study)


def _written(result: ModelTuning, output: OutputFile, identity: TaskIdentity) -> TunedModel | None:
    """Adds a model's setting to the file, and returns it with the effort of the searches whose setting it replaces."""
    if result.tuned is None:
        return None
    with locked_file(output.path):
        # Read again: another tuning may have written since.
        present = _present(output, identity) or TunedSettings(task=identity)
        settings = present.with_model(result.model, result.tuned)
        tuned_settings.save(settings, output)
    return settings.models[result.model]


def _present(output: OutputFile, identity: TaskIdentity) -> TunedSettings | None:
    """Returns the settings that the file holds, which a tuning keeps; None if there are none, or they may be replaced.

    Raises:
        RecbenchError: The file holds settings of another task or something else, and may not be replaced.
    """
    output.check()
    if not output.path.exists() or not output.path.stat().st_size:
        return None
    try:
        present = tuned_settings.load(output.path)
        _check_task(present.task, identity, output.path)
    except RecbenchError:
        if output.force:
            return None
        raise
    return present


def _check_task(present: TaskIdentity, identity: TaskIdentity, path: Path) -> None:
    if present.digest != identity.digest:
        raise RecbenchError(
            f"{path} holds settings of another task, {present.name} of digest {present.digest}; "
            f"that of {identity.name} is {identity.digest}.",
            BY_NAME,
        )


@contextmanager
def _locked(storage: Path) -> Iterator[None]:
    """Keeps other tunings away from a storage: to them, the trials of this one would look left behind.

    Raises:
        RecbenchError: Another tuning uses it, or its folder cannot be written.
    """
    check_no_file_above(storage.parent, OTHER_STORAGE)
    check_no_folder(storage, OTHER_STORAGE)
    lock = lock_held(Path(f"{storage}.lock"), 0)
    try:
        storage.parent.mkdir(parents=True, exist_ok=True)
        lock.__enter__()
    except LockHeldError as error:
        raise RecbenchError(
            f"Another tuning is using {storage}. {error.message}",
            "Wait until it ends, or choose another file: --storage FILE.",
        ) from error
    except OSError as error:
        raise RecbenchError(
            f"Cannot write to {storage.parent}: {reason(error)}.", advice_to_write(error, OTHER_STORAGE)
        ) from error
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
