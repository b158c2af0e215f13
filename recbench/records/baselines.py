"""Accepted baselines: records that later runs are compared with, by task and label."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import parse_measure
from recbench.path_checks import check_no_file_above
from recbench.records import history, store
from recbench.records.finished_trial import FinishedTrial
from recbench.records.git_files import write_git_files
from recbench.records.grouping import TrialGroup, group_trials, is_same
from recbench.records.schema import Status
from recbench.records.selection import BASELINES, LABEL, RecordSet

BEST = "best"
"""The label under which the best accepted records of each model are kept, so that slow losses can be seen."""

RELEASED = "RELEASED"
"""A file of this name marks a label that never changes again."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What accepting changes for one model on one task.

    Attributes:
        task: The task's name.
        model: The model's name.
        before: The groups that were accepted under the label; empty for a new model.
        after: The groups that take their place.
    """

    task: str
    model: str
    before: tuple[TrialGroup, ...]
    after: tuple[TrialGroup, ...]

    def replaced_by(self, group: TrialGroup) -> TrialGroup | None:
        """Returns the accepted group that a new one continues.

        It has the same configuration and conditions; or it is the only one that the only new one replaces.
        """
        if len(self.before) == len(self.after) == 1:
            return self.before[0]
        same = [one for one in self.before if is_same(one.record, group.record)]
        return same[0] if same else None


def find_changes(records: RecordSet, label: str, baselines: Path = BASELINES, *, force: bool = False) -> list[Change]:
    """Finds what accepting a run under a label would change.

    Args:
        records: The run.
        label: Such as ``main`` or ``v1.0``.
        baselines: Where labels are.
        force: Accept failed trials (they are left out) and uncommitted changes.

    Raises:
        RecbenchError: The label is no name or is released, a trial failed, or the run was made from changed or unknown
            sources.
    """
    if not LABEL.fullmatch(label) or label == BEST:
        raise RecbenchError(
            f"{label!r} cannot be a label.",
            f"Use letters, digits, dots, dashes; {BEST!r} is kept by itself. For example: --label main",
        )
    done = [trial for trial in records.trials if trial.record.status is Status.DONE]
    failed = [trial for trial in records.trials if trial.record.status is not Status.DONE]
    if failed and not force:
        raise RecbenchError(
            f"{len(failed)} trials of {records.text} are not done (first: {failed[0].record.model}, seed "
            f"{failed[0].record.seed}: {failed[0].record.status}).",
            "Run them again, or leave them out with --force.",
        )
    if not done:
        raise RecbenchError(f"No trial of {records.text} is done.", "There is nothing to accept.")
    unclear = [trial for trial in done if trial.record.revision is None or trial.record.revision.dirty]
    if unclear and not force:
        what = "outside of a git repository" if unclear[0].record.revision is None else "from uncommitted changes"
        raise RecbenchError(
            f"{records.text} was run {what}, so nobody could make it again.",
            "Commit and run again, or accept it all the same with --force.",
        )
    for task in sorted({trial.record.task.name for trial in done}):
        if (baselines / task / label / RELEASED).exists():
            raise RecbenchError(
                f"{label!r} of {task} is released, and a released baseline does not change.",
                "Accept under another label, and release that: recbench baseline release NEW --label LABEL",
            )
    by_model: dict[tuple[str, str], list[TrialGroup]] = {}
    for group in group_trials(done):
        by_model.setdefault((group.task.name, group.model), []).append(group)
    changes = []
    for (task, model), groups in by_model.items():
        # In memory, for the files are replaced.
        before = [
            FinishedTrial.in_memory(trial.record, trial.ranks, trial.place)
            for trial in _accepted(baselines / task / label, model)
        ]
        changes.append(Change(task, model, tuple(group_trials(before)), tuple(groups)))
    return changes


def accept_changes(
    changes: Sequence[Change], label: str, baselines: Path = BASELINES, log: Path = history.HISTORY
) -> list[Path]:
    """Puts the new records in place, keeps the best, appends to the history, and tells git how to treat the files.

    Returns:
        The files of git beside the history that were written.

    Raises:
        RecbenchError: A file cannot be written, or the history holds something else.
    """
    now = datetime.now(UTC)
    # Before any file is replaced: the run may be read from where it is written to.
    lines = [
        history.Accepted.of(trial, label, now) for change in changes for group in change.after for trial in group.trials
    ]
    for folder in (log.parent, *(baselines / change.task / name for change in changes for name in (label, BEST))):
        check_no_file_above(folder, "Move that file to another place.")
    if log.exists():
        # A file of another kind, or one with the marks of a conflict, must not grow.
        history.read(log)
    written = write_git_files(log.parent)
    for change in changes:
        best = baselines / change.task / BEST
        is_better = _is_better(change.after, group_trials(_accepted(best, change.model)))
        _replace(change, baselines / change.task / label)
        if is_better:
            _replace(change, best)
    history.append(lines, log)
    return written


def release(label: str, new: str, baselines: Path = BASELINES) -> list[Path]:
    """Copies all records of a label to a new one, such as a version; returns the new folders.

    Raises:
        RecbenchError: There is no such label, or the new one exists.
    """
    folders = [path for path in baselines.glob(f"*/{label}") if path.is_dir()]
    if not folders:
        raise RecbenchError(f"There is no label {label!r} in {baselines}.", "See: recbench baseline list")
    targets = [folder.with_name(new) for folder in folders]
    if not LABEL.fullmatch(new) or new == BEST or any(target.exists() for target in targets):
        raise RecbenchError(f"{new!r} exists, or cannot be a label.", "A released baseline does not change.")
    for folder, target in zip(folders, targets, strict=True):
        shutil.copytree(folder, target)
        (target / RELEASED).write_text(
            f"A copy of {label}. It does not change: pull requests are compared with it.\n",
            encoding="utf-8",
            newline="\n",
        )
    return targets


def accepted_groups(baselines: Path = BASELINES) -> dict[tuple[str, str], list[TrialGroup]]:
    """Returns what is accepted, by task and label."""
    folders = sorted(path for path in baselines.glob("*/*") if path.is_dir())
    return {(folder.parent.name, folder.name): group_trials(_accepted(folder)) for folder in folders}


def _accepted(folder: Path, model: str | None = None) -> list[FinishedTrial]:
    found = [store.finished_trial(store.load(path), path) for path in sorted(folder.glob("*.json"))]
    return [trial for trial in found if model in (None, trial.record.model)]


def _replace(change: Change, folder: Path) -> None:
    """Writes the new records, and only then removes those that they replace."""
    old = {trial.path for trial in _accepted(folder, change.model)}
    new = {store.save(trial.record, trial.ranks, folder).path for group in change.after for trial in group.trials}
    for path in old - new:
        if path is not None:
            path.unlink()
            path.with_suffix(".npz").unlink(missing_ok=True)


def _is_better(groups: Sequence[TrialGroup], best: Sequence[TrialGroup]) -> bool:
    """Whether the best configuration has a higher mean HR@10, or the accepted best is of another task by now."""
    if not best or {group.task.digest for group in best} != {group.task.digest for group in groups}:
        return True
    return max(map(_mean, groups)) > max(map(_mean, best))


def _mean(group: TrialGroup) -> float:
    return group.mean(parse_measure(history.HR)) or 0.0
