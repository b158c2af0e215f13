"""Accepted baselines: records that later runs are compared with, by task and label."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.escaping.file_names import file_name
from recbench.path_checks import check_no_file_above
from recbench.records import history, store
from recbench.records.best import best_groups, settled
from recbench.records.finished_trial import FinishedTrial
from recbench.records.git_files import write_git_files
from recbench.records.grouping import TrialGroup, group_trials, is_same, name_of
from recbench.records.results_folder import baselines_folder, history_file
from recbench.records.schema import Status
from recbench.records.selection import LABEL, RecordSet, of_models
from recbench.records.transactions import Transaction, finish_interrupted, transaction
from recbench.records.unclear_code import how_to_clear, why_unclear
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
        model: The model's name, or the user's label of a configuration.
        before: The groups that were accepted under the label; empty for a new model.
        after: The groups that take their place. A trial that stays as it was is the same object in both.
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

    def n_kept(self, group: TrialGroup) -> int:
        """Returns how many trials of a new group are accepted trials that stay as they are."""
        present = {id(trial) for one in self.before for trial in one.trials}
        return sum(id(trial) in present for trial in group.trials)

    def n_dropped(self, group: TrialGroup) -> int:
        """Returns how many seeds of the accepted group that a new one continues are not in the new one."""
        before = self.replaced_by(group)
        seeds = {trial.record.seed for trial in group.trials}
        return sum(trial.record.seed not in seeds for trial in before.trials) if before else 0

    @property
    def changed(self) -> list[TrialGroup]:
        """The new groups of which a trial is written, or that have fewer seeds than before."""
        return [group for group in self.after if self.n_kept(group) < len(group.trials) or self.n_dropped(group)]

    @property
    def removed(self) -> list[TrialGroup]:
        """The accepted groups that no new one continues."""
        continued = {id(self.replaced_by(group)) for group in self.after}
        return [group for group in self.before if id(group) not in continued]


@dataclass(frozen=True, slots=True, eq=False)
class Acceptance:
    """What was accepted.

    Attributes:
        changes: What has changed for each model; also models of which nothing has changed.
        git_files: The files of git beside the history that were written.
    """

    changes: tuple[Change, ...]
    git_files: tuple[Path, ...]


def accept(
    records: RecordSet,
    label: str,
    baselines: Path | None = None,
    log: Path | None = None,
    *,
    models: Sequence[str] | None = None,
    force: bool = False,
    refresh_timings: bool = False,
) -> Acceptance:
    """Puts new records in place, keeps the best, appends to the history, and tells git how to treat the files.

    All of it happens, or nothing; and no other acceptance comes between. Accepted records of the same result (ranks,
    hyper-parameters and code) stay as they are, and add no line to the history: two branches that accept them can be
    merged.

    Args:
        records: The run.
        label: Such as ``main`` or ``v1.0``.
        baselines: Where labels are; None for the project's.
        log: The history; likewise.
        models: Accept only these models or labelled configurations of the run; None for all.
        force: Accept failed trials (they are left out) and uncommitted changes.
        refresh_timings: Also replace records of the same result, so that timings and environment are those of this run.

    Raises:
        RecbenchError: The label is no name or is released, the run does not have one of the models, a trial failed, or
            the run was made from changed or unknown sources; a file cannot be written, or the history holds something
            else.
    """
    baselines, log = baselines or baselines_folder(), log or history_file()
    chosen = records if models is None else of_models([records], models)[0]
    done = _acceptable(chosen, label, force=force)
    now = datetime.now(UTC)
    with transaction(log.parent) as files:
        changes = _find_changes(done, label, baselines, refresh=refresh_timings)
        for folder in (log.parent, *(baselines / change.task / name for change in changes for name in (label, BEST))):
            check_no_file_above(folder, "Move that file to another place.")
        git_files = write_git_files(log.parent, files)
        for change in changes:
            best = baselines / change.task / BEST
            before = group_trials(_accepted(best, change.model))
            after = best_groups(before, change.after, change.removed, refresh=refresh_timings)
            _replace(before, after, best, files)
            _replace(change.before, change.after, baselines / change.task / label, files)
        changed = [trial for change in changes for group in change.changed for trial in group.trials]
        history.append_in(files, [history.Accepted.of(trial, label, now) for trial in changed], log)
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
    unclear = [(trial, reason) for trial in done if (reason := why_unclear(trial.record)) is not None]
    if unclear and not force:
        trial, reason = unclear[0]
        more = f" {len(unclear) - 1} more trials are like it." if unclear[1:] else ""
        raise RecbenchError(
            f"{records.text} {reason}, so nobody could make it again (first: {trial.record.model}, seed "
            f"{trial.record.seed}).{more}",
            f"{how_to_clear(trial.record)}, or accept it all the same with --force.",
        )
    for task in sorted({trial.record.task.name for trial in done}):
        if file_name(task) != task:
            raise RecbenchError(
                f"A record of {records.text} is of the task {task!r}, which cannot be the name of a folder.",
                "recbench gives no task such a name: get the records again from where they were made.",
            )
    return done


def _find_changes(done: Sequence[FinishedTrial], label: str, baselines: Path, *, refresh: bool) -> list[Change]:
    for task in sorted({trial.record.task.name for trial in done}):
        if (baselines / task / label / RELEASED).exists():
            raise RecbenchError(
                f"{label!r} of {task} is released, and a released baseline does not change.",
                "Accept under another label, and release that: recbench baseline release NEW --label LABEL",
            )
    by_name: dict[tuple[str, str], list[TrialGroup]] = {}
    for group in group_trials(done):
        by_name.setdefault((group.task.name, group.name), []).append(group)
    changes = []
    for (task, name), groups in by_name.items():
        accepted = _accepted(baselines / task / label, name)
        for trial in accepted:
            # Now: the files are replaced before somebody asks for the old figures.
            _ = trial.ranks
        before = tuple(group_trials(accepted))
        after = tuple(settled(before, group, refresh=refresh) for group in groups)
        changes.append(Change(task, name, before, after))
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


def _accepted(folder: Path, name: str | None = None) -> list[FinishedTrial]:
    """Returns the accepted trials of a folder: those of one model or label of a configuration, or all."""
    found = [store.finished_trial(store.load(path), path) for path in sorted(folder.glob("*.json"))]
    return [trial for trial in found if name in (None, name_of(trial.record))]


def _replace(before: Sequence[TrialGroup], after: Sequence[TrialGroup], folder: Path, files: Transaction) -> None:
    """Writes the trials that are new in a folder, and removes those that do not stay."""
    present, stay = _trials(before), _trials(after)
    for key, trial in stay.items():
        if key not in present:
            path = folder / f"{trial.record.stem()}.json"
            files.write(path, trial.record.to_json().encode())
            if trial.ranks is not None:
                files.write(path.with_suffix(".npz"), store.ranks_to_bytes(trial.ranks))
    for key, trial in present.items():
        if key not in stay and trial.path is not None:
            files.remove(trial.path)
            files.remove(trial.path.with_suffix(".npz"))


def _trials(groups: Sequence[TrialGroup]) -> dict[int, FinishedTrial]:
    """Returns the trials of groups by what they are as objects: a trial that stays is the same object."""
    return {id(trial): trial for group in groups for trial in group.trials}
