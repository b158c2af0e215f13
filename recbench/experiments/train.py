"""The trials of a run or a sweep: which of them are there already, and the others run."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import typer

from recbench.cli.shared.interruption import Tally
from recbench.cli.shared.terminal import ExitCode
from recbench.errors import NothingToCompareError
from recbench.progress.console import messages
from recbench.progress.run import PlainProgress
from recbench.records.schema import Record, Status
from recbench.records.store import StoredRecord
from recbench.runners.base import Runner, run_plan
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.logs import log_path
from recbench.trials.planned import PlannedTrial
from recbench.trials.resume import find


class Reuse(StrEnum):
    """What becomes of trials whose records are there."""

    KEEP = "keep"
    """They are not run again."""
    REPEAT = "repeat"
    """They are run like the others."""
    ONLY = "only"
    """Nothing else is reported, and nothing is run."""


def train(
    runner: Runner,
    trials: Sequence[PlannedTrial],
    task: Task,
    conditions: Conditions,
    folder: Path,
    observer: PlainProgress,
    tally: Tally,
    reuse: Reuse = Reuse.KEEP,
) -> list[StoredRecord]:
    """Runs the trials that are to be run, and returns the records of all that have one, in the order of the plan.

    Args:
        runner: Where they run.
        trials: The plan; labels differ.
        task: The task.
        conditions: What they are run under.
        folder: Of the records.
        observer: Is told how it goes.
        tally: Is kept up to date.
        reuse: What becomes of trials whose records are there.

    Raises:
        NothingToCompareError: Nothing is to be run, and nothing is there.
        RecbenchError: The folder cannot be written.
    """
    found = {trial.label: find(trial, task, conditions, folder) for trial in trials}
    stored = _kept(found, folder, reuse)
    missing = [] if reuse is Reuse.ONLY else [trial for trial in trials if trial.label not in stored]
    tally.planned, tally.kept = len(trials), len(stored)
    if missing:
        observer.planned(len(trials), len(stored), task.n_train)

    def finished(trial: PlannedTrial, one: StoredRecord) -> None:
        stored[trial.label] = one
        tally.kept += one.record.status is Status.DONE

    run_plan(runner, missing, folder, observer, finished)
    return [stored[trial.label] for trial in trials if trial.label in stored]


def exit_if_failed(stored: Sequence[StoredRecord]) -> None:
    """Names the logs of trials that did not give all that was asked for.

    Raises:
        typer.Exit: There is one.
    """
    failed = [one for one in stored if not _has_all(one.record)]
    for one in failed:
        name = one.record.label or one.record.model
        messages().print(f"Log of {name}, seed {one.record.seed}: {log_path(one.path)}", markup=False)
    if failed:
        raise typer.Exit(ExitCode.MODEL_FAILED)


def _has_all(record: Record) -> bool:
    """Whether the trial gave all that was asked for."""
    return record.status is Status.DONE and record.catalogue_error is None and record.curve_error is None


def _kept(found: Mapping[str, StoredRecord | None], folder: Path, reuse: Reuse) -> dict[str, StoredRecord]:
    """Returns the records that need not be made again, and says so."""
    there = {label: one for label, one in found.items() if one is not None}
    if reuse is Reuse.ONLY:
        absent = [label for label in found if label not in there]
        if not there:
            raise NothingToCompareError(
                f"None of the {len(found)} trials is in {folder}.", "Run them: leave --collect out."
            )
        if absent:
            messages().print(f"Not there: {'; '.join(absent)}", markup=False)
        return there
    if reuse is Reuse.REPEAT:
        return {}
    done = {label: one for label, one in there.items() if one.record.status is Status.DONE}
    if done:
        messages().print(
            f"{len(done)} of {len(found)} trials are kept in {folder} and are not run again; --force repeats them.",
            style="dim",
            markup=False,
        )
    return done
