"""Accepted baselines: records that later runs are compared with, by task and label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from recbench.errors import RecbenchError, unknown_name
from recbench.escaping.file_names import file_name
from recbench.path_checks import check_no_file_above
from recbench.records import history, ranks_file, store
from recbench.records.acceptance_reasons import new_names, reasons_for
from recbench.records.best import best_groups, settled
from recbench.records.declared_regressions import NAME as DECLARATIONS
from recbench.records.declared_regressions import declarations
from recbench.records.finished_trial import FinishedTrial
from recbench.records.gate_notes import read_notes
from recbench.records.git_files import write_git_files
from recbench.records.grouping import TrialGroup, group_trials, is_same, name_of
from recbench.records.renaming import EXAMPLE, renamed_trials
from recbench.records.results_folder import baselines_folder, history_file
from recbench.records.schema import Status
from recbench.records.selection import LABEL, LABEL_RULE, RecordSet, of_models
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
        present: The accepted trials as their files hold them, under the earlier name of a renamed model.
        renamed_from: The earlier name of the model; None if it has the same name.
    """

    task: str
    model: str
    before: tuple[TrialGroup, ...]
    after: tuple[TrialGroup, ...]
    present: tuple[FinishedTrial, ...]
    renamed_from: str | None = None

    def replaced_by(self, group: TrialGroup) -> TrialGroup | None:
        """Returns the accepted group that a new one continues.

        It has the same configuration and conditions; or it is the only one that the only new one replaces.
        """
        if len(self.before) == len(self.after) == 1:
            return self.before[0]
        same = [accepted for accepted in self.before if is_same(accepted.record, group.record)]
        return same[0] if same else None

    def n_kept(self, group: TrialGroup) -> int:
        """Returns how many trials of a new group are accepted trials that stay as they are."""
        present = {id(trial) for accepted in self.before for trial in accepted.trials}
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
    renamed: Mapping[str, str] = MappingProxyType({}),
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
        renamed: The new name of each renamed model, by its old name: its new records take the place of the old ones,
            and its history continues. The names that a gate was told for this run are known already.
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
    notes, groups = read_notes(records), group_trials(done)
    old_names = {new: old for old, new in {**new_names(notes, groups), **renamed}.items()}
    _check_new_names(old_names, groups)
    now = datetime.now(UTC)
    with transaction(log.parent) as files:
        changes = _find_changes(groups, label, baselines, old_names, refresh=refresh_timings)
        _check_old_names(renamed, changes, baselines, label)
        for folder in (log.parent, *(baselines / change.task / name for change in changes for name in (label, BEST))):
            check_no_file_above(folder, "Move that file to another place.")
        git_files = write_git_files(log.parent, files)
        for change in changes:
            best = baselines / change.task / BEST
            present = _accepted_as(best, change.model, change.renamed_from)
            before = group_trials(_under_new_name(present, change.model, change.renamed_from))
            after = best_groups(before, change.after, change.removed, refresh=refresh_timings)
            _replace(present, after, best, files)
            _replace(change.present, change.after, baselines / change.task / label, files)
        declared = _not_yet_told(declarations(log.parent), log)
        lines = []
        for change in changes:
            for group in change.changed:
                reasons = reasons_for(group, change.replaced_by(group), notes, declared)
                lines += [
                    history.Accepted.of(trial, label, now, reasons=reasons, renamed_from=change.renamed_from)
                    for trial in group.trials
                ]
        history.append_in(files, lines, log)
    return Acceptance(tuple(changes), tuple(git_files))


def _acceptable(records: RecordSet, label: str, *, force: bool) -> list[FinishedTrial]:
    """Returns the trials of a run that can be accepted.

    Raises:
        RecbenchError: See ``accept``.
    """
    if not LABEL.fullmatch(label) or label == BEST:
        raise RecbenchError(
            f"{label!r} is not a valid label.",
            f"{LABEL_RULE} recbench itself maintains {BEST!r}. For example: --label main",
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
        more = f" {len(unclear) - 1} more trials have the same problem." if unclear[1:] else ""
        raise RecbenchError(
            f"{records.text} {reason}, so the result cannot be repeated (first: {trial.record.model}, seed "
            f"{trial.record.seed}).{more}",
            f"{how_to_clear(trial.record)}. Or accept the record as it is: add --force.",
        )
    for task in sorted({trial.record.task.name for trial in done}):
        if file_name(task) != task:
            raise RecbenchError(
                f"A record of {records.text} is of the task {task!r}, which cannot be the name of a folder.",
                "recbench never uses such a name. Copy the records again from their source.",
            )
    return done


def _check_new_names(old_names: Mapping[str, str], groups: Sequence[TrialGroup]) -> None:
    names = {group.name for group in groups}
    for new, old in old_names.items():
        if new not in names:
            raise unknown_name("model of this run", new, names, EXAMPLE)
        if old in names:
            raise RecbenchError(f"The run has {old} and {new}: they are two models.", "Leave out --renamed.")


def _check_old_names(renamed: Mapping[str, str], changes: Sequence[Change], baselines: Path, label: str) -> None:
    """Checks that each old name was accepted, or its new one is already."""
    for old, new in renamed.items():
        if not any(change.model == new and change.present for change in changes):
            folders = [baselines / change.task / label for change in changes]
            known = {name_of(trial.record) for folder in dict.fromkeys(folders) for trial in _accepted(folder)}
            raise unknown_name("accepted model", old, known, EXAMPLE)


def _find_changes(
    groups: Sequence[TrialGroup], label: str, baselines: Path, old_names: Mapping[str, str], *, refresh: bool
) -> list[Change]:
    for task in sorted({group.task.name for group in groups}):
        if (baselines / task / label / RELEASED).exists():
            raise RecbenchError(
                f"{label!r} of {task} is released, and a released baseline does not change.",
                "Accept under another label, and release that: recbench baseline release NEW --label LABEL",
            )
    by_name: dict[tuple[str, str], list[TrialGroup]] = {}
    for group in groups:
        by_name.setdefault((group.task.name, group.name), []).append(group)
    changes = []
    for (task, name), of_name in by_name.items():
        old = old_names.get(name)
        present = _accepted_as(baselines / task / label, name, old)
        before = tuple(group_trials(_under_new_name(present, name, old)))
        after = tuple(settled(before, group, refresh=refresh) for group in of_name)
        was_renamed = any(name_of(trial.record) == old for trial in present)
        changes.append(Change(task, name, before, after, tuple(present), old if was_renamed else None))
    return changes


def _accepted_as(folder: Path, name: str, old: str | None) -> list[FinishedTrial]:
    """Returns the accepted trials of a model, also those under its earlier name."""
    trials = [*_accepted(folder, name), *(_accepted(folder, old) if old else [])]
    for trial in trials:
        # Now: the files are replaced before somebody asks for the old figures.
        _ = trial.ranks
    return trials


def _under_new_name(trials: Sequence[FinishedTrial], name: str, old: str | None) -> list[FinishedTrial]:
    """Returns trials under the new name of their model. A renamed trial is a new object: it gets a new file."""
    if old is None:
        return list(trials)
    return renamed_trials(trials, {old: name})


def release(label: str, new: str, baselines: Path | None = None) -> list[Path]:
    """Copies all records of a label to a new one, such as a version; returns the new folders.

    Raises:
        RecbenchError: There is no such label, the new one exists, or a file cannot be read or written.
    """
    if not LABEL.fullmatch(new) or new == BEST:
        raise RecbenchError(f"{new!r} is not a valid label.", f"{LABEL_RULE} For example: v1.0")
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
    trials = [store.finished_trial(store.load(path), path) for path in sorted(folder.glob("*.json"))]
    return [trial for trial in trials if name in (None, name_of(trial.record))]


def _replace(before: Sequence[FinishedTrial], after: Sequence[TrialGroup], folder: Path, files: Transaction) -> None:
    """Writes the trials that are new in a folder, and removes those that do not stay."""
    # By what they are as objects: a trial that stays is the same object.
    present = {id(trial): trial for trial in before}
    stay = {id(trial): trial for group in after for trial in group.trials}
    for key, trial in stay.items():
        if key not in present:
            path = folder / f"{trial.record.stem()}.json"
            files.write(path, trial.record.to_json().encode())
            if trial.ranks is not None:
                files.write(path.with_suffix(".npz"), ranks_file.ranks_to_bytes(trial.ranks))
    for key, trial in present.items():
        if key not in stay and trial.path is not None:
            files.remove(trial.path)
            files.remove(trial.path.with_suffix(".npz"))


def _not_yet_told(declared: Mapping[str, str], log: Path) -> dict[str, str]:
    """Returns the declared reasons that the history does not hold yet."""
    recorded_reasons: set[str] = set()
    if declared and log.exists():
        lines = history.read_undamaged(log).lines
        recorded_reasons = {reason for line in lines for reason in line.accepted_regressions.values()}
    reasons = {target: f"{reason} ({DECLARATIONS})" for target, reason in declared.items()}
    return {target: reason for target, reason in reasons.items() if reason not in recorded_reasons}
