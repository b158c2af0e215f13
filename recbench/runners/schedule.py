"""The trials of one run: run, and each record written as soon as its trial has ended."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.path_checks import check_no_file_above
from recbench.process_locks import LockHeldError
from recbench.records import store
from recbench.records.finished_trial import FinishedTrial
from recbench.records.interruption import interruption_is_pending, raise_lost_interruption, uninterrupted
from recbench.records.replacement import combined
from recbench.records.schema import Status
from recbench.runners.base import Runner
from recbench.system_errors import advice_to_write, reason
from recbench.trials.conditions import TrialOutcome
from recbench.trials.events import Event, EventKind, Notify
from recbench.trials.planned import PlannedTrial
from recbench.trials.resume import is_current
from recbench.trials.revision import with_own_files_checked


def run_plan(runner: Runner, trials: Sequence[PlannedTrial], folder: Path, notify: Notify) -> None:
    """Runs the trials.

    Args:
        runner: Where they run.
        trials: Which.
        folder: Of the records and logs.
        notify: Receives an event of the kind ``ENDED`` for each trial once its record is on disk. No interruption comes
            between the two, so that whoever counts these events counts the records.

    Raises:
        RecbenchError: The folder cannot be written. Records written before stay.
    """
    if not trials:
        return
    prepare(folder)
    n_kept = 0
    for trial, outcome in runner.run(trials, folder):
        with uninterrupted():
            # Here, so that no interruption loses the result while git is asked.
            record = with_own_files_checked(outcome.record, trial.model)
            try:
                stored = _save(trial, replace(outcome, record=record), folder)
            except RecbenchError as error:
                raise _lost(error, trial, folder, n_kept) from error
            if outcome.is_final:
                n_kept += 1
                kept = stored.record.status is Status.DONE
                notify(Event(EventKind.ENDED, trial=trial, result=stored, kept=kept))
        raise_lost_interruption()


def _save(trial: PlannedTrial, outcome: TrialOutcome, folder: Path) -> FinishedTrial:
    """Stores what a trial gave, at once or, if another process does not let go of the folder, by the next command."""
    combine = partial(combined, is_of_same_code=lambda record: is_current(record, trial))
    try:
        return store.save(outcome.record, outcome.ranks, folder, combine)
    except LockHeldError as error:
        place = f"{folder}/{outcome.record.stem()}.json"
        finished = FinishedTrial.in_memory(outcome.record, outcome.ranks, place)
        store.set_aside(finished, folder)
        if interruption_is_pending():
            return finished
        raise LockHeldError(
            f"{error.message} The result of {trial.label} is kept. The next run into this folder stores it.", error.hint
        ) from error


def _lost(error: RecbenchError, trial: PlannedTrial, folder: Path, n_kept: int) -> RecbenchError:
    """Returns the error for a result that could not be stored, which names it and what is kept."""
    if isinstance(error, LockHeldError):
        return error
    kept = f"The {n_kept} results before it are" if n_kept != 1 else "The result before it is"
    return RecbenchError(
        f"{error.message} The result of {trial.label} is lost. {kept} kept in {folder}.",
        f"{error.hint}\nThen run the same command again. Kept trials are not run again.",
    )


def prepare(folder: Path) -> None:
    """Makes the output folder, before anything is trained in vain.

    Raises:
        RecbenchError: It cannot be made or written.
    """
    check_no_file_above(folder, store.OTHER_FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise RecbenchError(
            f"Cannot write to the output folder {folder}: {reason(error)}.", advice_to_write(error, store.OTHER_FOLDER)
        ) from error
    store.tidy(folder)
