"""The trials of a run or a sweep: those whose records exist are kept, the others run."""

import logging
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

from recbench.errors import NothingToCompareError
from recbench.named_choice import NamedChoice
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.records.sources import Sources
from recbench.records.store import store_set_aside
from recbench.runners.base import Runner
from recbench.runners.schedule import run_plan
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.events import Event, EventKind, Notify
from recbench.trials.planned import PlannedTrial
from recbench.trials.resume import FileChanges, changed_files, find

log = logging.getLogger(__name__)
MOST_SHOWN = 3
"""Changed files that a line names."""


class Reuse(NamedChoice):
    """What to do with trials whose records exist."""

    KEEP = "keep"
    """Keep the records of complete trials; run the others."""
    REPEAT = "repeat"
    """Run every trial again."""
    ONLY = "only"
    """Report the records; run nothing."""


def train(
    runner: Runner,
    trials: Sequence[PlannedTrial],
    task: Task,
    conditions: Conditions,
    folder: Path,
    notify: Notify,
    reuse: Reuse = Reuse.KEEP,
) -> list[FinishedTrial]:
    """Runs the trials that must run, and returns the records of all that have one, in the order of the plan.

    Args:
        runner: Where they run.
        trials: The plan; labels differ.
        task: The task.
        conditions: What they are run under.
        folder: Folder of the records.
        notify: Receives the events.
        reuse: What to do with trials whose records exist.

    Raises:
        NothingToCompareError: Nothing may run, and no record exists.
        RecbenchError: The folder cannot be written.
    """
    store_set_aside(folder)
    existing = {trial.label: find(trial, task, conditions, folder) for trial in trials}
    if reuse is not Reuse.REPEAT:
        absent = [trial for trial in trials if existing[trial.label] is None]
        changes = [files for trial in absent if (files := changed_files(trial, task, conditions, folder))]
        if changes:
            log.info("%s", _out_of_date(changes))
    stored = _kept(existing, trials, folder, reuse)
    missing = [] if reuse is Reuse.ONLY else [trial for trial in trials if trial.label not in stored]
    planned = Event(
        EventKind.PLANNED, total=len(trials), done=len(stored), n_train=task.n_train, planned=tuple(missing)
    )
    notify(planned)

    def collect(event: Event) -> None:
        if event.kind is EventKind.ENDED and event.trial is not None:
            stored[event.trial.label] = event.result
        notify(event)

    run_plan(runner, missing, folder, collect)
    return [stored[trial.label] for trial in trials if trial.label in stored]


def _out_of_date(changes: Sequence[FileChanges]) -> str:
    """Returns the line on records of other code, given the changed files of each."""
    changed = sorted({file for record_changes in changes for file in record_changes.changed})
    missing = sorted({file for record_changes in changes for file in record_changes.missing})
    reasons = [f"{_shown(changed)} {'has' if len(changed) == 1 else 'have'} changed"] if changed else []
    reasons += [f"{_shown(missing)} {'is' if len(missing) == 1 else 'are'} missing or unreadable"] if missing else []
    records = "1 record is" if len(changes) == 1 else f"{len(changes)} records are"
    return f"{records} out of date: {'; '.join(reasons)}."


def _shown(files: Sequence[str]) -> str:
    return ", ".join(files[:MOST_SHOWN]) + (f" and {len(files) - MOST_SHOWN} more" if len(files) > MOST_SHOWN else "")


def _looked_at(kept: Mapping[str, FinishedTrial], trials: Sequence[PlannedTrial]) -> str:
    """Returns what was compared with the records, in words."""
    # An older record lists no modules, but its version covers those of the plan.
    every = [trial.model.sources.together(kept[trial.label].record.sources) for trial in trials if trial.label in kept]
    counts = reduce(Sources.together, every, Sources()).counts
    return "same task, settings and code" + (f": {counts}" if counts else "")


def _kept(
    existing: Mapping[str, FinishedTrial | None], trials: Sequence[PlannedTrial], folder: Path, reuse: Reuse
) -> dict[str, FinishedTrial]:
    """Returns the records that need not be made again, and logs how many there are."""
    present = {label: trial for label, trial in existing.items() if trial is not None}
    if reuse is Reuse.ONLY:
        if not present:
            raise NothingToCompareError(
                f"None of the {len(existing)} trials is in {folder}.", "Run them: leave --collect out."
            )
        if absent := [label for label in existing if label not in present]:
            log.info("Not there: %s", "; ".join(absent))
        return present
    if reuse is Reuse.REPEAT:
        return {}
    done = {label: trial for label, trial in present.items() if trial.record.status is Status.DONE}
    if done:
        log.info(
            "%d of %d trials are kept in %s and are not run again (%s); --force repeats them.",
            len(done), len(existing), folder, _looked_at(done, trials),
        )  # fmt: skip
    return done
