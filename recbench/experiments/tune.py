"""What ``recbench tune`` does once its options are read: check everything, tune model by model, write, report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from recbench.cli.shared.interruption import Tally
from recbench.cli.shared.terminal import ExitCode, emit, emit_json
from recbench.cli.tune import FOLDER
from recbench.data.cache import home
from recbench.device import Device
from recbench.errors import RecbenchError
from recbench.experiments.run import check_cores
from recbench.experiments.tuning_checks import check_output, locked
from recbench.progress.console import animated, messages
from recbench.progress.run import PlainProgress
from recbench.progress.tuning import AnimatedTuningProgress, PlainTuningProgress
from recbench.protocol import PROTOCOL_VERSION
from recbench.records import tuned_settings as settings_files
from recbench.records.schema import TaskIdentity, class_identity
from recbench.records.tuned_settings import Settings
from recbench.registry.requested import RequestedModel, request_models
from recbench.reports.tuning.plots import draw_history, draw_importance
from recbench.reports.tuning.table import tuning_document, tuning_table
from recbench.runners.base import Runner
from recbench.runners.limits import Limits
from recbench.runners.processes.local import LocalProcesses
from recbench.runners.processes.supervision import Assignment
from recbench.tasks import task_file as task_files
from recbench.tasks.lookup import SUFFIX, load_task
from recbench.tasks.task import Task
from recbench.tasks.tuning_task import tuning_task
from recbench.trials.conditions import Conditions
from recbench.trials.identity import TaskFacts
from recbench.trials.machine import revision
from recbench.trials.planned import PlannedModel
from recbench.trials.run_observer import RunObserver
from recbench.tuning.objective import K, curve_epochs, longest
from recbench.tuning.past import Budget, counts
from recbench.tuning.result import ModelTuning, model_tuning
from recbench.tuning.spaces import PLACE, ModelSpace, check_names, own_spaces_path, read_spaces
from recbench.tuning.study import Study, usable
from recbench.tuning.tuner import Tuner


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """The options of ``recbench tune``; see there."""

    models: Sequence[str]
    task: str
    budget: Budget
    threads: int
    seed: int
    device: Device
    cluster: str | None
    spaces: Path | None
    storage: Path | None
    output: Path | None
    plot: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class _Opened:
    """A model that is to be tuned, and what was tried of it so far."""

    model: PlannedModel
    space: ModelSpace
    conditions: Conditions
    study: Study


def tune_and_report(request: TuneRequest, tally: Tally) -> None:
    """Tunes what is asked for, writes each model's setting when it is found, and prints what was found.

    Args:
        request: What.
        tally: Is kept up to date.

    Raises:
        RecbenchError: Bad input, or a file that cannot be written.
        typer.Exit: No trial of some model was completed.
    """
    if request.cluster is None:
        check_cores(request.threads, jobs=1)
    wanted = request_models(request.models)
    if any(one.label or one.texts for one in wanted):
        raise RecbenchError(
            "--models of tune takes names of models, without labels and values.", "Fix a value in the file of --spaces."
        )
    where = str(request.spaces) if request.spaces else PLACE
    spaces = read_spaces(request.spaces or own_spaces_path())
    searched = _searched(wanted, spaces, where)
    task = load_task(request.task, progressbar=animated())
    identity = TaskFacts.of(task).identity
    output = request.output or settings_files.settings_path(task.name)
    check_output(output, identity)
    seen = tuning_task(task)
    start = _starter(seen, request.cluster)
    conditions = Conditions(request.threads, request.device, (K,), revision=revision())
    planned = _configured(start(conditions, PlainProgress()), searched)
    for model in planned:
        check_names(spaces[model.name].parameters, model.name, model.parameters, where)
    storage = request.storage or FOLDER / f"{task.name}.db"
    tally.folder = storage
    found = {one.reference.name: ModelTuning(one.reference.name, {}) for one in wanted}
    with locked(storage), usable(storage):
        studies = [_open(request, storage, identity, model, spaces[model.name], conditions) for model in planned]
        observer = (AnimatedTuningProgress if animated() else PlainTuningProgress)(request.budget)
        tuner = Tuner(TaskFacts.of(seen), start, request.seed, request.budget, storage.parent, observer)
        for result, importance in _tuned(request, studies, tuner, observer, tally):
            found[result.model] = result
            _keep(result, output, identity)
            if request.plot:
                _draw(result, importance, storage.parent / f"{task.name}--{result.model}")
    _report(request, list(found.values()), task.summary(), output, storage)


def _searched(wanted: Sequence[RequestedModel], spaces: Mapping[str, ModelSpace], where: str) -> list[RequestedModel]:
    """Returns the models that have something to tune, and names the others."""
    searched = [one for one in wanted if (found := spaces.get(one.reference.name)) and found.parameters]
    for one in wanted:
        if one not in searched:
            messages().print(f"{one.reference.name} has no parameters in {where}, and is not tuned.", markup=False)
    if not searched:
        raise RecbenchError(
            f"None of these models has parameters in {where}.",
            "Give a file with a table for each, such as [MyModel], with --spaces.",
        )
    return searched


def _starter(seen: Task, cluster: str | None) -> Callable[[Conditions, RunObserver], Runner]:
    """Returns what makes a runner of trials on this task, from a file of its own."""
    task_file = home() / "tasks" / "tuning" / f"{seen.name}-{seen.digest[7:19]}{SUFFIX}"
    task_files.save(seen, task_file)
    facts = TaskFacts.of(seen)

    def start(conditions: Conditions, observer: RunObserver) -> Runner:
        assignment = Assignment(task_file, facts, conditions, Limits())
        if cluster is None:
            return LocalProcesses(assignment, observer)
        # Here, for Dask is slow to import, and need not be installed.
        from recbench.runners.dask.cluster import Cluster

        return Cluster(cluster, assignment, observer)

    return start


def _tuned(
    request: TuneRequest,
    studies: Sequence[_Opened],
    tuner: Tuner,
    observer: PlainTuningProgress,
    tally: Tally,
) -> Iterator[tuple[ModelTuning, dict[str, float]]]:
    """Tunes model by model; yields what was found, and how important each parameter is."""
    tally.planned = request.budget.trials * len(studies)
    tally.kept = sum(counts(one.study.past()).ended for one in studies)
    for one in studies:
        observer.model_starts(one.model.name, one.study.past())
        try:
            tuner.tune(one.study, one.model, one.conditions)
        finally:
            observer.close()
            tally.kept = sum(counts(other.study.past()).ended for other in studies)
        past = one.study.past()
        result = model_tuning(one.model, one.space.parameters, past, request.budget, request.seed, request.threads)
        yield result, one.study.importance() if request.plot else {}


def _configured(runner: Runner, wanted: Sequence[RequestedModel]) -> list[PlannedModel]:
    try:
        return runner.configure(wanted)
    finally:
        runner.close()


def _open(
    request: TuneRequest,
    storage: Path,
    identity: TaskIdentity,
    model: PlannedModel,
    space: ModelSpace,
    conditions: Conditions,
) -> _Opened:
    most = longest(space.parameters, model.parameters)
    same = {
        "task digest": identity.digest,
        "model": class_identity(model.reference.target),
        "source of the model": str(model.code_version),
        "protocol version": str(PROTOCOL_VERSION),
        "search space": space.text(),
        "seed": str(request.seed),
        "threads": str(request.threads),
        "device": request.device,
    }
    study = Study(storage, model.name, same, space, model.parameters, request.seed, most)
    return _Opened(model, space, replace(conditions, curve=curve_epochs(most)), study)


def _keep(result: ModelTuning, output: Path, identity: TaskIdentity) -> None:
    if result.tuned is None:
        return
    # Read again: another tuning may have written since.
    settings = settings_files.load(output) if output.exists() else Settings(task=identity)
    settings_files.save(settings.with_model(result.model, result.tuned), output)


def _draw(result: ModelTuning, importance: Mapping[str, float], base: Path) -> None:
    drawn = [draw_history(result, base.with_name(f"{base.name}--history.png"))]
    if importance:
        drawn.append(draw_importance(result.model, importance, base.with_name(f"{base.name}--importance.png")))
    else:
        messages().print(f"{result.model}: too few completed trials for parameters' importance.", markup=False)
    messages().print(f"Drawn: {', '.join(map(str, drawn))}", style="dim", markup=False)


def _report(
    request: TuneRequest, found: Sequence[ModelTuning], task: dict[str, object], output: Path, storage: Path
) -> None:
    if request.as_json:
        emit_json(tuning_document(found, request.budget, task, str(output), str(storage)))
    else:
        emit(tuning_table(found, request.budget))
    if any(one.tuned for one in found):
        use = output if request.output else "tuned"
        messages().print(f"Settings: {output}; recbench run --settings {use}", style="dim", markup=False)
    without = [one.model for one in found if one.space and one.tuned is None]
    if without:
        messages().print(
            f"Error: no trial of {', '.join(without)} was completed in the budget, so there is no setting.\n"
            "Give a larger --budget or --trials (what was tried stays), or look at the logs of failed trials in "
            f"{storage.parent / 'logs'}.",
            markup=False,
        )
        raise typer.Exit(ExitCode.MODEL_FAILED)
