"""Find the records that an argument names, and read them with their ranks."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from recbench.errors import NoBaselineError, NothingToCompareError, RecbenchError, unknown_name
from recbench.escaping.shell import shell_word
from recbench.evaluation.user_groups import LatestGroups
from recbench.file_content import is_lfs_pointer
from recbench.garbage import without_collection
from recbench.records.consistency import check_consistency
from recbench.records.finished_trial import FinishedTrial
from recbench.records.git_records import Checkout, checked_out
from recbench.records.grouping import name_of
from recbench.records.ranks_file import vector_reader
from recbench.records.results_folder import BASELINES, baselines_folder, results_folders
from recbench.records.store import RECORDS, finished_trial, load, store_set_aside
from recbench.records.suite_layout import is_suite, record_folders
from recbench.records.task_names import names_meant
from recbench.records.transactions import finish_interrupted

ATTEMPTS = 5
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LABEL_RULE = "Use letters a to z and A to Z, digits, dots, dashes and underscores; begin with a letter or a digit."

ReadTrial = Callable[[Path, str], FinishedTrial]
"""Reads one record and its ranks from a path; errors call it by its place."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordSet:
    """The records that one argument of a command names, such as a folder or a label.

    Attributes:
        text: What the user wrote.
        trials: Its trials; at least one.
        locations: Their files: absolute paths, or ``sha:path``, where the path starts at the root of the repository.
        hidden: A folder or file of records with the name of the label that ``text`` means; None if there is none.
        problems: Why some of the trials have no ranks although they are done; empty unless these were asked for.
        superseded: What was left out because the code has changed since; see ``recbench.records.superseded``.
        alternatives: Of a baseline that was never accepted: which baselines exist instead, and what to do.
    """

    text: str
    trials: tuple[FinishedTrial, ...]
    locations: frozenset[str]
    hidden: Path | None = None
    problems: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    alternatives: str = ""


def check_nothing_in_common(base: RecordSet, current: RecordSet) -> None:
    """Checks that no record is on both sides of a comparison.

    Raises:
        RecbenchError: A record is.
    """
    if base.locations & current.locations:
        same = base.locations == current.locations
        raise RecbenchError(
            f"BASE and CURRENT {'are the same records' if same else 'have records in common'}: {base.text} and "
            f"{current.text}.",
            "Write the second run into a folder of its own: recbench run --models ... -o NAME",
        )


def read_records(text: str, baselines: Path | None = None) -> RecordSet:
    """Reads the records that ``text`` means, and checks that their figures follow from their ranks.

    Args:
        text: A label, whose records lie under ``baselines/<task>/<label>/``, all tasks together; a folder of records;
            the file of one record; ``REV:PATH``, a folder or file in a git revision. A folder of a suite stands for the
            records of all its tasks. A label comes before a folder or
            file of its name, such as a git worktree called ``main``: ``./main`` is the folder.
        baselines: Where labels are; None for the project's.

    Raises:
        RecbenchError: ``text`` means nothing, or a record is broken, inconsistent, without its ranks, or too new.
        NothingToCompareError: There are no records, or no baseline was ever accepted.
    """
    with without_collection():
        return _read_with(_Reader().read, text, baselines)


def read_with_problems(text: str) -> RecordSet:
    """Reads the records that ``text`` means, as ``read_records`` does, for a page that shows what is wrong with them.

    A trial whose ranks are missing, damaged or of another record has no ranks, and is named in ``RecordSet.problems``.

    Args:
        text: See ``read_records``.

    Raises:
        RecbenchError: ``text`` means nothing or two things, or a record is broken or too new.
        NothingToCompareError: There are no records, or no baseline was ever accepted.
    """
    problems: dict[str, None] = {}
    reader = _Reader()

    def read(path: Path, place: str) -> FinishedTrial:
        try:
            return reader.read(path, place)
        except RecbenchError as error:
            trial = FinishedTrial.in_memory(load(path), None, place)
            problems[error.message] = None
            return trial

    with without_collection():
        records = _read_with(read, text, None)
    return replace(records, problems=tuple(problems))


def _read_with(read: ReadTrial, text: str, baselines: Path | None) -> RecordSet:
    if not text:
        raise RecbenchError("No records are named.", "Give a folder of records, a label, or REV:PATH.")
    path, nearest = Path(text), baselines or baselines_folder()
    labelled = _label_folders(
        text, [nearest] if baselines else [nearest, *(folder / BASELINES for folder in results_folders())]
    )
    if labelled:
        of_label = _unchanged(lambda: _of_label(read, text, labelled), labelled)
        return replace(of_label, hidden=path if _has_records(path) else None)
    if path.is_dir() and is_suite(path):
        folders = list(record_folders(path)) or [path]
        return RecordSet(text, _in_folders(read, folders), frozenset().union(*map(_files, folders)))
    if path.is_dir():
        store_set_aside(path)
        return RecordSet(text, _in_folder(read, path, text), _files(path))
    if path.is_file():
        return RecordSet(text, (read(path, text),), frozenset([str(path.resolve())]))
    if ":" in text:
        return _in_revision(read, text)
    labels = {folder.name for task in _folders(nearest) for folder in _folders(task)}
    if not labels and LABEL.fullmatch(text):
        raise NoBaselineError(
            f"There are no records {text!r}: it is neither a folder nor a file, and no baseline was accepted under "
            f"{nearest} yet.",
            f"Accept a baseline: recbench baseline accept RUN --label {shell_word(text)}",
        )
    raise unknown_name(
        "records", text, labels, f"Give a folder of records, one record, a label in {nearest}, or REV:PATH."
    )


def _label_folders(label: str, baselines: Iterable[Path]) -> list[Path]:
    """Returns the folders of a label, one for each task, in the first of several folders of baselines that has it."""
    for folder in dict.fromkeys(baselines):
        finish_interrupted(folder.parent)
        folders = [task / label for task in _folders(folder) if LABEL.fullmatch(label) and (task / label).is_dir()]
        if folders:
            return folders
    return []


def _has_records(path: Path) -> bool:
    return path.suffix == ".json" if path.is_file() else any(path.glob(RECORDS))


def _of_label(read: ReadTrial, text: str, folders: Sequence[Path]) -> RecordSet:
    return RecordSet(text, _in_folders(read, folders), frozenset().union(*map(_files, folders)))


def _unchanged(read: Callable[[], RecordSet], folders: Sequence[Path]) -> RecordSet:
    """Returns what a function reads from folders; reads again if an acceptance has changed them meanwhile."""
    for _ in range(ATTEMPTS):
        before = _state(folders)
        try:
            content = read()
        except RecbenchError:
            if _state(folders) == before:
                raise
            continue
        if _state(folders) == before:
            return content
    return read()


def _state(folders: Sequence[Path]) -> list[tuple[str, int, int]]:
    """Returns what changes if a file of the folders is replaced, made or removed."""
    states = []
    for path in sorted(path for folder in folders for path in folder.glob("*")):
        with suppress(FileNotFoundError):
            status = path.stat()
            states.append((str(path), status.st_ino, status.st_mtime_ns))
    return states


def of_models(record_sets: Sequence[RecordSet], names: Sequence[str]) -> list[RecordSet]:
    """Returns the record sets with the records of these models only; sets without any are left out.

    Args:
        record_sets: The record sets.
        names: Names of models, or labels that the user gave to configurations.

    Raises:
        RecbenchError: No set has records of one of them.
    """
    return [chosen for chosen in with_models(record_sets, names) if chosen.trials]


def with_models(record_sets: Sequence[RecordSet], names: Sequence[str]) -> list[RecordSet]:
    """Returns the record sets as ``of_models`` does, also those without any of the models.

    Raises:
        RecbenchError: No set has records of one of them.
    """
    known = {name for records in record_sets for trial in records.trials for name in _names(trial)}
    for name in names:
        if name not in known:
            raise unknown_name("model of these records", name, known)
    return [_with(records, lambda trial: bool(_names(trial) & {*names})) for records in record_sets]


def with_task(record_sets: Sequence[RecordSet], task: str | os.PathLike[str]) -> list[RecordSet]:
    """Returns the record sets with the records of one task, or of all its replicas; also the sets without any.

    Args:
        record_sets: The record sets.
        task: A task's name or a spec file.

    Raises:
        RecbenchError: No set has records of this task, or the spec file cannot be read.
    """
    known = {trial.record.task.name for records in record_sets for trial in records.trials}
    meant = names_meant(task, known, "task of these records")
    return [_with(records, lambda trial: trial.record.task.name in meant) for records in record_sets]


def _with(records: RecordSet, is_chosen: Callable[[FinishedTrial], bool]) -> RecordSet:
    return replace(records, trials=tuple(filter(is_chosen, records.trials)))


def _names(trial: FinishedTrial) -> set[str]:
    return {trial.record.model, name_of(trial.record)}


def _in_revision(read: ReadTrial, text: str) -> RecordSet:
    with checked_out(text) as checkout:
        revision = text.partition(":")[0]
        location = f"{checkout.sha}:{checkout.place}"
        try:
            if checkout.file is not None:
                trial = _without_path(read(checkout.folder / checkout.file, text))
                return RecordSet(text, (trial,), frozenset([location]))
            files = frozenset(f"{location}/{path.name}".replace(":/", ":") for path in checkout.folder.glob("*.json"))
            trials = _in_folder(read, checkout.folder, f"{revision}:{checkout.path}")
        except RecbenchError as error:
            if str(checkout.folder) in error.hint:
                # It names a temporary file.
                raise RecbenchError(error.message, _advice_in_revision(checkout, revision)) from error
            raise
        return RecordSet(text, tuple(map(_without_path, trials)), files)


def _advice_in_revision(state: Checkout, revision: str) -> str:
    """Returns what to do about a file that is damaged in a revision."""
    if any(is_lfs_pointer(path.read_bytes()) for path in state.folder.iterdir()):
        return (
            "Git LFS keeps pointers in commits. Compare with a checkout of the revision: "
            f"git worktree add ../base {shell_word(revision)}. Or keep records out of LFS, because they are small: "
            "git lfs untrack '*.json' '*.npz'"
        )
    path = shell_word(state.path or ".")
    return f"The file is in the commit in this form. Name another revision; see: git log --oneline -- {path}"


def _without_path(trial: FinishedTrial) -> FinishedTrial:
    """Returns the trial, whose ranks are read, without its file, which is a temporary one."""
    return FinishedTrial.in_memory(trial.record, trial.ranks, trial.place)


def _in_folders(read: ReadTrial, folders: Sequence[Path]) -> tuple[FinishedTrial, ...]:
    return tuple(trial for folder in folders for trial in _in_folder(read, folder, str(folder)))


def _in_folder(read: ReadTrial, folder: Path, place: str) -> tuple[FinishedTrial, ...]:
    paths = sorted(folder.glob("*.json"))
    if not paths:
        below = sorted({path.parent.relative_to(folder).as_posix() for path in folder.rglob(RECORDS)})
        raise NothingToCompareError(
            f"There are no records in {place}.",
            f"There are in: {', '.join(f'{place}/{name}' for name in below[:5])}."
            if below
            else "Records are written by: recbench run --models ... -o FOLDER",
        )
    return tuple(read(path, f"{place.rstrip('/')}/{path.name}") for path in paths)


def _files(folder: Path) -> frozenset[str]:
    # To resolve each path is slow; only a link can lie elsewhere than its folder.
    resolved = folder.resolve()
    return frozenset(
        str(path.resolve() if path.is_symlink() else resolved / path.name) for path in folder.glob("*.json")
    )


class _Reader:
    """Reads many records and their ranks; what the trials of a task have in common is decoded once."""

    def __init__(self) -> None:
        self._vectors, self._groups = vector_reader(), LatestGroups()

    def read(self, path: Path, place: str) -> FinishedTrial:
        """Reads one record and its ranks, at once, for its path may be a temporary one; errors call it by its place."""
        try:
            trial = finished_trial(load(path), path, place, self._vectors)
            check_consistency(trial, self._groups)
        except RecbenchError as error:
            beside = place.removesuffix(".json") + ".npz"
            message = error.message.replace(str(path.with_suffix(".npz")), beside).replace(str(path), place)
            raise RecbenchError(message, error.hint) from error
        return trial


def _folders(folder: Path) -> Sequence[Path]:
    return sorted(_subfolders(folder)) if folder.is_dir() else []


def _subfolders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir())
