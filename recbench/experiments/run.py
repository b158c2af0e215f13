"""What ``recbench run`` does once its options are read: plan, keep what is there, run the rest, report."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recbench.cli.shared.interruption import Tally
from recbench.cli.shared.terminal import emit, emit_json, emit_table
from recbench.errors import RecbenchError
from recbench.experiments.train import Reuse, exit_if_failed, train
from recbench.progress.console import animated, messages
from recbench.progress.run import AnimatedProgress, PlainProgress
from recbench.records.finished_trial import FinishedTrial
from recbench.registry.hyperparameters import parse_assignments
from recbench.registry.requested import RequestedModel, request_models
from recbench.registry.settings_used import SettingsUsed, use_settings
from recbench.reports.formats import Format
from recbench.runners.base import Runner
from recbench.runners.limits import Limits
from recbench.runners.processes.local import LocalProcesses
from recbench.runners.processes.supervision import Assignment
from recbench.tasks.lookup import find_task, load_task
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.identity import TaskFacts
from recbench.trials.machine import available_cores, library_settings, revision
from recbench.trials.planned import PlannedModel, PlannedTrial, plan


@dataclass(frozen=True, slots=True)
class Request:
    """The options of ``recbench run``; see there.

    Attributes:
        models: Names, as they were given.
        assignments: Texts of hyper-parameters.
        settings: Where the other hyper-parameters come from; None for defaults, without a word on it.
        task: A task's name, or a spec file.
        seeds: All of them.
        conditions: What trials are run under.
        limits: What ends a trial.
        jobs: Trials at a time.
        cluster: Address of a Dask scheduler; None to run on this machine.
        in_process: Whether to do without processes.
        reuse: What becomes of trials whose records are there.
        dry_run: Whether to print the plan only.
        output: Folder of the records.
        form: Of the table.
        reach: HR that learning curves are held to.
        metrics: Whether to print the table of other metrics.
        pairs: Whether to print the table of pairs.
    """

    models: Sequence[str]
    assignments: tuple[str, ...]
    settings: str | None
    task: str
    seeds: range
    conditions: Conditions
    limits: Limits
    jobs: int
    cluster: str | None
    in_process: bool
    reuse: Reuse
    dry_run: bool
    output: Path
    form: Format
    reach: float | None
    metrics: bool
    pairs: bool


def run_and_report(request: Request, tally: Tally) -> None:
    """Runs what is asked for, and prints it.

    Args:
        request: What.
        tally: Is kept up to date.

    Raises:
        RecbenchError: Bad input, or a folder that cannot be written.
        typer.Exit: A trial failed.
    """
    if request.cluster is None:
        check_cores(request.conditions.threads, request.jobs)
    # Before any numeric library does more than be loaded: with --in-process, this process trains.
    os.environ.update(library_settings(request.conditions.threads, request.conditions.device))
    wanted = request_models(parse_assignments(request.assignments, request.models))
    task = load_task(request.task, progressbar=animated())
    most = task.summary()["n_negatives"] + 1
    if max(request.conditions.ks) > most:
        raise RecbenchError(
            f"--k {max(request.conditions.ks)} is more than the {most} candidates of a case.", "Use smaller cut-offs."
        )
    used = None
    if request.settings is not None:
        wanted, used = use_settings(request.settings, wanted, TaskFacts.of(task).identity)
    observer = AnimatedProgress() if animated() else PlainProgress()
    with _runner(request, task, observer) as runner:
        trials = plan(_configured(runner, wanted, used), request.seeds)
        if request.dry_run:
            _show_plan(request, task, trials)
            return
        stored = train(runner, trials, task, request.conditions, request.output, observer, tally, request.reuse)
    _report(request, task, used, stored)


def _configured(runner: Runner, wanted: Sequence[RequestedModel], used: SettingsUsed | None) -> list[PlannedModel]:
    """Lets every model check its parameters, and says where they come from."""
    if used is None or not used.path:
        return runner.configure(wanted)
    from recbench.reports.run.settings_notes import other_task

    if used.of_another_task:
        messages().print(f"Warning: {other_task(used)}", style="yellow", markup=False)
    for one in used.overridden:
        messages().print(
            f"--param {one.model}.{one.name}={one.given} goes before the tuned value {one.tuned}.", markup=False
        )
    try:
        return runner.configure(wanted)
    except RecbenchError as error:
        told = f"Parameters that --param does not give come from {used.path}."
        raise RecbenchError(error.message, f"{error.hint}\n{told}") from error


@contextmanager
def _runner(request: Request, task: Task, observer: PlainProgress) -> Iterator[Runner]:
    conditions = request.conditions.in_revision(revision())
    runner: Runner
    if request.in_process:
        # Here, for it loads what a run with processes leaves to them.
        from recbench.runners.in_process import InProcess

        runner = InProcess(task, conditions, observer)
    else:
        path = find_task(request.task).path
        assignment = Assignment(path, TaskFacts.of(task), conditions, request.limits, request.jobs)
        if request.cluster is not None:
            # Here, for Dask is slow to import, and need not be installed.
            from recbench.runners.dask.cluster import Cluster

            runner = Cluster(request.cluster, assignment, observer)
        else:
            runner = LocalProcesses(assignment, observer)
    try:
        yield runner
    finally:
        runner.close()
        observer.close()


def _report(request: Request, task: Task, used: SettingsUsed | None, stored: Sequence[FinishedTrial]) -> None:
    from recbench.reports.run.metrics_table import metrics_table
    from recbench.reports.run.pairs_table import pairs_table
    from recbench.reports.run.run_report import run_report
    from recbench.reports.run.table import run_table

    report = run_report(
        task.summary(), stored, stored[0].record.environment, request.conditions.ks, request.reach, settings=used
    )
    emit(run_table(report, request.form))
    if request.metrics and request.form is not Format.JSON:
        emit("\n" + metrics_table(report, request.form))
    if request.pairs and request.form is not Format.JSON:
        emit("\n" + pairs_table(report, request.form))
    messages().print(f"Records: {request.output}", style="dim", markup=False)
    exit_if_failed(stored)


def _show_plan(request: Request, task: Task, trials: Sequence[PlannedTrial]) -> None:
    if request.form is Format.JSON:
        planned = [{"model": t.model.name, "seed": t.seed, "params": t.model.parameters} for t in trials]
        emit_json({"schema": 1, "task": task.summary(), "plan": planned})
    else:
        emit_table(
            [[t.model.name, t.seed, _readable(t.model.parameters)] for t in trials], ["model", "seed", "parameters"]
        )


def _readable(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "none"


def check_cores(threads: int, jobs: int) -> None:
    """Checks that all trials that run at a time have cores of their own.

    Raises:
        RecbenchError: There are fewer.
    """
    cores = available_cores()
    if threads > cores:
        raise RecbenchError(
            f"--threads {threads}, but this process may use {cores} cores: timings would mean nothing.",
            f"Use at most --threads {cores}.",
        )
    if jobs * threads > cores:
        raise RecbenchError(
            f"--jobs {jobs} with --threads {threads} need {jobs * threads} cores, and this process may use {cores}: "
            "trials would take each other's time.",
            f"Use at most --jobs {cores // threads}.",
        )
