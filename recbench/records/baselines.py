"""Accepted baselines: records that later runs are compared with, by task and label."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.escaping.file_names import file_name
from recbench.evaluation.metric_names import parse_measure
from recbench.path_checks import check_no_file_above
from recbench.records import history, store
from recbench.records.finished_trial import FinishedTrial
from recbench.records.git_files import write_git_files
from recbench.records.grouping import TrialGroup, group_trials, is_same
from recbench.records.history_metrics import HR
from recbench.records.results_folder import baselines_folder, history_file
from recbench.records.schema import Record, Status, is_builtin
from recbench.records.selection import LABEL, RecordSet
from recbench.records.transactions import Transaction, finish_interrupted, transaction
from recbench.system_errors import cannot_read

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


@dataclass(frozen=True, slots=True, eq=False)
class Acceptance:
    """What was accepted.

    Attributes:
        changes: What has changed for each model.
        git_files: The files of git beside the history that were written.
    """

    changes: tuple[Change, ...]
    git_files: tuple[Path, ...]


def accept(
    records: RecordSet, label: str, baselines: Path | None = None, log: Path | None = None, *, force: bool = False
) -> Acceptance:
    """Puts new records in place, keeps the best, appends to the history, and tells git how to treat the files.

    All of it happens, or nothing; and no other acceptance comes between.

    Args:
        records: The run.
        label: Such as ``main`` or ``v1.0``.
        baselines: Where labels are; None for the project's.
        log: The history; likewise.
        force: Accept failed trials (they are left out) and uncommitted changes.

    Raises:
        RecbenchError: The label is no name or is released, a trial failed, or the run was made from changed or unknown
            sources; a file cannot be written, or the history holds something else.
    """
    baselines, log = baselines or baselines_folder(), log or history_file()
    done = _acceptable(records, label, force=force)
    now = datetime.now(UTC)
    lines = [history.Accepted.of(trial, label, now) for trial in done]
    with transaction(log.parent) as files:
        changes = _find_changes(done, label, baselines)
        for folder in (log.parent, *(baselines / change.task / name for change in changes for name in (label, BEST))):
            check_no_file_above(folder, "Move that file to another place.")
        git_files = write_git_files(log.parent, files)
        for change in changes:
            best = baselines / change.task / BEST
            if _is_better(change.after, group_trials(_accepted(best, change.model))):
                _replace(change, best, files)
            _replace(change, baselines / change.task / label, files)
        history.append_in(files, lines, log)
    return Acceptance(tuple(changes), tuple(git_files))


def _acceptable(records: RecordSet, label: str, *, force: bool) -> list[FinishedTrial]:
    """Returns the trials of a run that can be accepted.

    Raises:
        RecbenchError: See ``accept``.
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
    unclear = [(trial, reason) for trial in done if (reason := _why_unclear(trial.record)) is not None]
    if unclear and not force:
        trial, reason = unclear[0]
        more = f" {len(unclear) - 1} more trials are like it." if unclear[1:] else ""
        raise RecbenchError(
            f"{records.text} {reason}, so nobody could make it again (first: {trial.record.model}, seed "
            f"{trial.record.seed}).{more}",
            f"{_advice(trial.record)}, or accept it all the same with --force.",
        )
    for task in sorted({trial.record.task.name for trial in done}):
        if file_name(task) != task:
            raise RecbenchError(
                f"A record of {records.text} is of the task {task!r}, which cannot be the name of a folder.",
                "recbench gives no task such a name: get the records again from where they were made.",
            )
    return done


def _why_unclear(record: Record) -> str | None:
    """Returns why the code of a trial cannot be had from a commit, as far as its record says; None if it can."""
    revision = record.revision
    if revision is None:
        if record.no_revision is None:
            return "was run outside of a git repository"
        return f"was run without a git revision: {record.no_revision.rstrip('.')}"
    if revision.dirty:
        reasons = "; ".join(reason.rstrip(".") for reason in revision.reasons or ())
        return f"was run from uncommitted changes{f': {reasons}' if reasons else ''}"
    own = {**record.sources.modules, **record.sources.late_modules}
    if revision.reasons is None and own and not is_builtin(record.reference):
        return "was run by an earlier recbench, which did not check that the commit holds the model's files"
    return None


def _advice(record: Record) -> str:
    if record.revision is None:
        return "See what git says: git status. Then run again" if record.no_revision else "Run it in a git repository"
    return "Commit the model's files and run again"


def _find_changes(done: Sequence[FinishedTrial], label: str, baselines: Path) -> list[Change]:
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


def release(label: str, new: str, baselines: Path | None = None) -> list[Path]:
    """Copies all records of a label to a new one, such as a version; returns the new folders.

    Raises:
        RecbenchError: There is no such label, the new one exists, or a file cannot be read or written.
    """
    if not LABEL.fullmatch(new) or new == BEST:
        raise RecbenchError(f"{new!r} cannot be a label.", "Use letters, digits, dots, dashes. For example: v1.0")
    baselines = baselines or baselines_folder()
    finish_interrupted(baselines.parent)
    # Any other text would be a pattern, or a path that leads elsewhere.
    if not LABEL.fullmatch(label) or not any(map(_files, baselines.glob(f"*/{label}"))):
        raise RecbenchError(f"There is no label {label!r} in {baselines}.", "See: recbench baseline list")
    with transaction(baselines.parent) as files:
        folders = [path for path in sorted(baselines.glob(f"*/{label}")) if _files(path)]
        targets = [folder.with_name(new) for folder in folders]
        if present := [target for target in targets if _files(target)]:
            raise RecbenchError(
                f"{new!r} exists: {present[0]}. "
                + ("A released baseline does not change." if (present[0] / RELEASED).exists() else "It is a label."),
                "Choose another name, such as the next version.",
            )
        marker = f"A copy of {label}. It does not change: pull requests are compared with it.\n".encode()
        for folder, target in zip(folders, targets, strict=True):
            for path in _files(folder):
                if path.name != RELEASED:
                    files.write(target / path.name, _content(path))
            files.write(target / RELEASED, marker)
    return targets


def accepted_groups(baselines: Path | None = None) -> dict[tuple[str, str], list[TrialGroup]]:
    """Returns what is accepted, by task and label."""
    baselines = baselines or baselines_folder()
    finish_interrupted(baselines.parent)
    folders = sorted(path for path in baselines.glob("*/*") if path.is_dir())
    return {(folder.parent.name, folder.name): group_trials(_accepted(folder)) for folder in folders if _files(folder)}


def _files(folder: Path) -> list[Path]:
    """Returns the files of a label, without locks and temporary ones; none if there is no such folder."""
    return sorted(path for path in folder.glob("[!.]*") if path.is_file())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise cannot_read(str(path), error) from error


def _accepted(folder: Path, model: str | None = None) -> list[FinishedTrial]:
    found = [store.finished_trial(store.load(path), path) for path in sorted(folder.glob("*.json"))]
    return [trial for trial in found if model in (None, trial.record.model)]


def _replace(change: Change, folder: Path, files: Transaction) -> None:
    """Writes the new records, and removes those that they replace."""
    for group in change.after:
        for trial in group.trials:
            path = folder / f"{trial.record.stem()}.json"
            files.write(path, trial.record.to_json().encode())
            if trial.ranks is not None:
                files.write(path.with_suffix(".npz"), store.ranks_to_bytes(trial.ranks))
    for old in _accepted(folder, change.model):
        if old.path is not None:
            files.remove(old.path)
            files.remove(old.path.with_suffix(".npz"))


def _is_better(groups: Sequence[TrialGroup], best: Sequence[TrialGroup]) -> bool:
    """Whether the best configuration has a higher mean HR@10, or the accepted best is of another task by now."""
    if not best or {group.task.digest for group in best} != {group.task.digest for group in groups}:
        return True
    return max(map(_mean, groups)) > max(map(_mean, best))


def _mean(group: TrialGroup) -> float:
    return group.mean(parse_measure(HR)) or 0.0
