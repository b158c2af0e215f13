"""The trials of one run: run, and each record written as soon as its trial has ended."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.path_checks import check_no_file_above
from recbench.records import store
from recbench.records.interruption import uninterrupted
from recbench.records.schema import Status
from recbench.runners.base import Runner
from recbench.trials.events import Event, EventKind, Notify
from recbench.trials.planned import PlannedTrial
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
    for trial, outcome in runner.run(trials, folder):
        record = with_own_files_checked(outcome.record, trial.model)
        with uninterrupted():
            stored = store.save(record, outcome.ranks, folder)
            notify(Event(EventKind.ENDED, trial=trial, result=stored, kept=stored.record.status is Status.DONE))


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
            f"Cannot write to the output folder {folder}: {error.strerror}.", store.OTHER_FOLDER
        ) from error
    store.tidy(folder)
