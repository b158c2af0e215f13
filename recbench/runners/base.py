"""The trials of one run: those whose records are there are kept, the others are run, each record written at once."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from recbench.errors import RecbenchError
from recbench.records import store
from recbench.records.finished_trial import FinishedTrial
from recbench.records.interruption import uninterrupted
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Outcome
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.trials.run_observer import RunObserver


class Runner(Protocol):
    """Where trials run: processes of this machine, this process, or a cluster."""

    def configure(self, wanted: Sequence[RequestedModel]) -> list[PlannedModel]:
        """Imports every model and lets it check its parameters, before anything is trained."""
        ...

    def run(self, trials: Iterable[PlannedTrial], folder: Path) -> Iterator[tuple[PlannedTrial, Outcome]]:
        """Runs the trials, logs into the folder, and yields what each gave, as it ends.

        A trial is taken from ``trials`` when there is room for it, so that what was yielded before can decide what
        comes next.
        """
        ...

    def close(self) -> None:
        """Ends what still runs."""
        ...


def run_plan(
    runner: Runner,
    trials: Sequence[PlannedTrial],
    folder: Path,
    observer: RunObserver,
    finished: Callable[[PlannedTrial, FinishedTrial], None],
) -> None:
    """Runs the trials.

    Args:
        runner: Where they run.
        trials: Which.
        folder: Of the records and logs.
        observer: Is told how it goes.
        finished: Is called with each trial once its record is on disk. No interruption comes between the two, so that
            what it counts is what is there.

    Raises:
        RecbenchError: The folder cannot be written. Records written before stay.
    """
    if not trials:
        return
    prepare(folder)
    for trial, outcome in runner.run(trials, folder):
        with uninterrupted():
            stored = store.save(outcome.record, outcome.ranks, folder)
            finished(trial, stored)
        observer.trial_ends(trial, stored)


def prepare(folder: Path) -> None:
    """Makes the output folder, before anything is trained in vain.

    Raises:
        RecbenchError: It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise RecbenchError(
            f"Cannot write to the output folder {folder}: {error.strerror}.", "Choose another with -o."
        ) from error
    store.tidy(folder)
