"""Runs in the history: a line for each trial that is done, without accepting it as a baseline."""

import logging
from collections.abc import Sequence
from pathlib import Path

from recbench.records import history
from recbench.records.finished_trial import FinishedTrial
from recbench.records.git_files import write_git_files
from recbench.records.grouping import group_trials
from recbench.records.results_folder import history_file
from recbench.records.schema import Status
from recbench.records.transactions import transaction

log = logging.getLogger(__name__)


def check_history() -> None:
    """Checks that lines can be appended to the project's history, before anything is trained.

    Raises:
        RecbenchError: The history is damaged.
    """
    if history_file().exists():
        history.read()


def track(trials: Sequence[FinishedTrial]) -> int:
    """Appends the trials that are done to the project's history, and logs how many lines are new.

    A trial that is in the history already is not appended again. All seeds of a configuration get the time at which the
    first of them was started, so that they stay together.

    Args:
        trials: Of a run.

    Returns:
        How many lines were appended.

    Raises:
        RecbenchError: The history cannot be written, or is damaged.
    """
    done = [trial for trial in trials if trial.record.status is Status.DONE]
    lines = []
    for group in group_trials(done):
        began = min(trial.record.started_at for trial in group.trials)
        lines += [history.Accepted.of(trial, "", began, is_run=True) for trial in group.trials]
    n_new = append_new(lines)
    log.info("%d new lines in the history %s.", n_new, history_file())
    return n_new


def append_new(lines: Sequence[history.Accepted]) -> int:
    """Appends those lines to the project's history that it does not have, and returns how many these are.

    Raises:
        RecbenchError: The history cannot be written, or is damaged.
    """
    path = history_file()
    with transaction(path.parent) as files:
        present = {_identity(line) for line in _read(path)}
        new = [line for line in lines if _identity(line) not in present]
        if new:
            write_git_files(path.parent, files)
            history.append_in(files, new, path)
    return len(new)


def _read(path: Path) -> Sequence[history.Accepted]:
    return history.read(path) if path.exists() else ()


def _identity(line: history.Accepted) -> tuple[object, ...]:
    """Returns what a tracked trial is known by."""
    configuration = (line.name, line.parameters, line.threads, line.device, line.reference)
    return (line.is_run, line.accepted_at, line.digest, *configuration, line.seed)
