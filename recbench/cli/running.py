"""What ``recbench run`` does once its options are read: plan, keep what is there, run the rest, report."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from recbench.cli.interrupted import Tally
from recbench.cli.progress import AnimatedProgress, PlainProgress
from recbench.cli.terminal import ExitCode, animated, emit, emit_json, emit_table, messages
from recbench.errors import NothingToCompareError, RecbenchError
from recbench.records.schema import Record, Status
from recbench.records.store import StoredRecord
from recbench.reports.formats import Format
from recbench.tasks.shelf import find_task, load_task
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.configuration import parse_assignments
from recbench.trials.identity import TaskFacts
from recbench.trials.limits import Limits
from recbench.trials.local import LocalProcesses
from recbench.trials.logs import log_path
from recbench.trials.machine import available_cores, library_settings, revision
from recbench.trials.plan import PlannedTrial, plan, wanted_models
from recbench.trials.resume import find
from recbench.trials.schedule import Runner, run_plan
from recbench.trials.supervision import Assignment


@dataclass(frozen=True, slots=True)
class Request:
    """The options of ``recbench run``; see there.

    Attributes:
        models: Names, as they were given.
        assignments: Texts of hyper-parameters.
        task: A task's name, or a spec file.
        seeds: All of them.
        conditions: What trials are run under.
        limits: What ends a trial.
        jobs: Trials at a time.
        cluster: Address of a Dask scheduler; None to run on this machine.
        in_process: Whether to do without processes.
        force: Whether to repeat trials whose records are there.
        collect: Whether to run none.
        dry_run: Whether to print the plan only.
        output: Folder of the records.
        form: Of the table.
        reach: HR that learning curves are held to.
        metrics: Whether to print the table of other metrics.
        pairs: Whether to print the table of pairs.
    """

    models: Sequence[str]
    assignments: tuple[str, ...]
    task: str
    seeds: range
    conditions: Conditions
    limits: Limits
    jobs: int
    cluster: str | None
    in_process: bool
    force: bool
    collect: bool
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
        _check_cores(request.conditions.threads, request.jobs)
    # Before any numeric library does more than be loaded: with --in-process, this process trains.
    os.environ.update(library_settings(request.conditions.threads, request.conditions.device))
    wanted = wanted_models(parse_assignments(request.assignments, request.models))
    task = load_task(request.task, progressbar=animated())
    most = task.summary()["n_negatives"] + 1
    if max(request.conditions.ks) > most:
        raise RecbenchError(
            f"--k {max(request.conditions.ks)} is more than the {most} candidates of a case.", "Use smaller cut-offs."
        )
    observer = AnimatedProgress() if animated() else PlainProgress()
    with _runner(request, task, observer) as runner:
        trials = plan(runner.configure(wanted), request.seeds)
        if request.dry_run:
            _show_plan(request, task, trials)
            return
        found = {trial.label: find(trial, task, request.conditions, request.output) for trial in trials}
        stored = _kept(request, found)
        missing = [] if request.collect else [trial for trial in trials if trial.label not in stored]
        tally.planned, tally.kept = len(trials), len(stored)
        if missing:
            observer.planned(len(trials), len(stored), task.n_train)
        for finished in run_plan(runner, missing, request.output, observer):
            stored[finished.trial.label] = finished.stored
            tally.kept += finished.stored.record.status is Status.DONE
    _report(request, task, [stored[trial.label] for trial in trials if trial.label in stored])


@contextmanager
def _runner(request: Request, task: Task, observer: PlainProgress) -> Iterator[Runner]:
    conditions = request.conditions.in_revision(revision())
    runner: Runner
    if request.in_process:
        # Here, for it loads what a run with processes leaves to them.
        from recbench.trials.in_process import InProcess

        runner = InProcess(task, conditions, observer)
    else:
        path = find_task(request.task).path
        assignment = Assignment(path, TaskFacts.of(task), conditions, request.limits, request.jobs)
        if request.cluster is not None:
            # Here, for Dask is slow to import, and need not be installed.
            from recbench.trials.cluster import Cluster

            runner = Cluster(request.cluster, assignment, observer)
        else:
            runner = LocalProcesses(assignment, observer)
    try:
        yield runner
    finally:
        runner.close()
        observer.close()


def _kept(request: Request, found: Mapping[str, StoredRecord | None]) -> dict[str, StoredRecord]:
    """Returns the records that need not be made again, and says so."""
    there = {label: one for label, one in found.items() if one is not None}
    if request.collect:
        absent = [label for label in found if label not in there]
        if not there:
            raise NothingToCompareError(
                f"None of the {len(found)} trials is in {request.output}.", "Run them: leave --collect out."
            )
        if absent:
            messages().print(f"Not there: {'; '.join(absent)}", markup=False)
        return there
    if request.force:
        return {}
    done = {label: one for label, one in there.items() if one.record.status is Status.DONE}
    if done:
        messages().print(
            f"{len(done)} of {len(found)} trials are kept in {request.output} and are not run again; "
            "--force repeats them.",
            style="dim",
            markup=False,
        )
    return done


def _report(request: Request, task: Task, stored: Sequence[StoredRecord]) -> None:
    from recbench.reports.document import run_document
    from recbench.reports.metrics_table import metrics_table
    from recbench.reports.pairs_table import pairs_table
    from recbench.reports.run_report import run_report
    from recbench.reports.table import run_table

    report = run_report(task.summary(), stored, stored[0].record.environment, request.conditions.ks, request.reach)
    markdown = request.form is Format.MARKDOWN
    if request.form is Format.JSON:
        emit_json(run_document(report))
    else:
        emit(run_table(report, request.form))
        if request.metrics:
            emit("\n" + metrics_table(report, markdown=markdown))
        if request.pairs:
            emit("\n" + pairs_table(report, markdown=markdown))
    messages().print(f"Records: {request.output}", style="dim", markup=False)
    failed = [one for one in stored if not _has_all(one.record)]
    if failed:
        for one in failed:
            messages().print(f"Log of {one.record.model}, seed {one.record.seed}: {log_path(one.path)}", markup=False)
        raise typer.Exit(ExitCode.MODEL_FAILED)


def _has_all(record: Record) -> bool:
    """Whether the trial gave all that was asked for."""
    return record.status is Status.DONE and record.catalogue_error is None and record.curve_error is None


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


def _check_cores(threads: int, jobs: int) -> None:
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
