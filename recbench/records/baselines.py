"""Accepted baselines: records that later runs are compared with, by task and label."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.records import history, store
from recbench.records.schema import Record, Status
from recbench.records.selection import BASELINES, LABEL, RankedTrial, Side
from recbench.records.store import TrialRanks, load

BEST = "best"
"""The label under which the best accepted records of each model are kept, so that slow losses can be seen."""

RELEASED = "RELEASED"
"""A file of this name marks a label that never changes again."""

METRIC = f"hr@{history.K}"


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What accepting changes for one model on one task.

    Attributes:
        task: The task's name.
        model: The model's name.
        before: The records that were accepted under the label; empty for a new model.
        after: The records that take their place.
    """

    task: str
    model: str
    before: tuple[Record, ...]
    after: tuple[RankedTrial, ...]


def plan(side: Side, label: str, baselines: Path = BASELINES, *, force: bool = False) -> list[Change]:
    """Finds what accepting a run under a label would change.

    Args:
        side: The run.
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
    done = [trial for trial in side.trials if trial.ranks is not None]
    failed = [trial for trial in side.trials if trial.record.status is not Status.DONE]
    if failed and not force:
        raise RecbenchError(
            f"{len(failed)} trials of {side.text} are not done (first: {failed[0].record.model}, seed "
            f"{failed[0].record.seed}: {failed[0].record.status}).",
            "Run them again, or leave them out with --force.",
        )
    if not done:
        raise RecbenchError(f"No trial of {side.text} is done.", "There is nothing to accept.")
    unclear = [trial for trial in done if trial.record.revision is None or trial.record.revision.dirty]
    if unclear and not force:
        what = "outside of a git repository" if unclear[0].record.revision is None else "from uncommitted changes"
        raise RecbenchError(
            f"{side.text} was run {what}, so nobody could make it again.",
            "Commit and run again, or accept it all the same with --force.",
        )
    for task in sorted({trial.record.task.name for trial in done}):
        if (baselines / task / label / RELEASED).exists():
            raise RecbenchError(
                f"{label!r} of {task} is released, and a released baseline does not change.",
                "Accept under another label, and release that: recbench baseline release NEW --label LABEL",
            )
    groups: dict[tuple[str, str], list[RankedTrial]] = {}
    for trial in done:
        groups.setdefault((trial.record.task.name, trial.record.model), []).append(trial)
    return [
        Change(task, model, tuple(_accepted(baselines / task / label, model).values()), tuple(trials))
        for (task, model), trials in groups.items()
    ]


def accept(changes: Sequence[Change], label: str, baselines: Path = BASELINES, log: Path = history.HISTORY) -> None:
    """Puts the new records in place, keeps the best, and appends to the history.

    Raises:
        RecbenchError: A file cannot be written.
    """
    now = datetime.now(UTC)
    for change in changes:
        _replace(change, baselines / change.task / label)
        best = baselines / change.task / BEST
        if _is_better(change.after, tuple(_accepted(best, change.model).values())):
            _replace(change, best)
    history.append(
        [
            history.Accepted.of(trial.record, trial.ranks, label, now)
            for change in changes
            for trial in change.after
            if trial.ranks is not None
        ],
        log,
    )


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
        (target / RELEASED).write_text(f"A copy of {label}. It does not change: pull requests are compared with it.\n")
    return targets


def labels(baselines: Path = BASELINES) -> dict[tuple[str, str], list[Record]]:
    """Returns the accepted records by task and label."""
    folders = sorted(path for path in baselines.glob("*/*") if path.is_dir())
    return {
        (folder.parent.name, folder.name): [load(path) for path in sorted(folder.glob("*.json"))] for folder in folders
    }


def _accepted(folder: Path, model: str) -> dict[Path, Record]:
    paths = sorted(folder.glob("*.json"))
    return {path: record for path in paths if (record := load(path)).model == model}


def _replace(change: Change, folder: Path) -> None:
    """Writes the new records, and only then removes those that they replace."""
    old = _accepted(folder, change.model)
    new = {
        store.save(trial.record, TrialRanks(trial.ranks, trial.catalogue), folder).path
        for trial in change.after
        if trial.ranks is not None
    }
    for path in old.keys() - new:
        path.unlink()
        path.with_suffix(".npz").unlink(missing_ok=True)


def _is_better(trials: Sequence[RankedTrial], best: Sequence[Record]) -> bool:
    """Whether the mean HR@10 is higher, or the best is of another task by now."""
    if not best or {record.task.digest for record in best} != {trial.record.task.digest for trial in trials}:
        return True
    return _mean([trial.record for trial in trials]) > _mean(best)


def _mean(records: Sequence[Record]) -> float:
    found = [record.metrics[METRIC].mean for record in records if METRIC in record.metrics]
    return sum(found) / len(found) if found else 0.0
