"""Find the records that an argument names, and read them with their ranks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recbench.errors import NothingToCompareError, RecbenchError, unknown_name
from recbench.records.consistency import check_consistency
from recbench.records.finished_trial import FinishedTrial
from recbench.records.git_records import checked_out
from recbench.records.store import finished_trial, load

BASELINES = Path("results/baselines")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, eq=False)
class RecordSet:
    """The records that one argument of a command names, such as a folder or a label.

    Attributes:
        text: What the user wrote.
        trials: Its trials; at least one.
        locations: Their files: absolute paths, or ``sha:path``.
    """

    text: str
    trials: tuple[FinishedTrial, ...]
    locations: frozenset[str]


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
            "Comparing a run with itself tells nothing; give -o NAME to the second run.",
        )


def read_records(text: str, baselines: Path = BASELINES) -> RecordSet:
    """Reads the records that ``text`` means, and checks that their figures follow from their ranks.

    Args:
        text: In this order: a folder of records; the file of one record; a label, whose records lie under
            ``baselines/<task>/<label>/``, all tasks together; ``REV:PATH``, a folder or file in a git revision.
        baselines: Where labels are.

    Raises:
        RecbenchError: ``text`` means nothing, or a record is broken, inconsistent, without its ranks, or too new.
        NothingToCompareError: There are no records, or no baseline was ever accepted.
    """
    if not text:
        raise RecbenchError("No records are named.", "Give a folder of records, a label, or REV:PATH.")
    path = Path(text)
    if path.is_dir():
        return RecordSet(text, _in_folder(path, text), _files(path))
    if path.is_file():
        return RecordSet(text, (_read(path, text),), frozenset([str(path.resolve())]))
    labelled = [folder / text for folder in _folders(baselines) if LABEL.fullmatch(text) and (folder / text).is_dir()]
    if labelled:
        trials = tuple(trial for folder in labelled for trial in _in_folder(folder, str(folder)))
        return RecordSet(text, trials, frozenset().union(*map(_files, labelled)))
    if ":" in text:
        return _in_revision(text)
    labels = {folder.name for task in _folders(baselines) for folder in _folders(task)}
    if not labels and LABEL.fullmatch(text):
        raise NothingToCompareError(
            f"There are no records {text!r}: it is no folder, no file, and nothing was accepted under {baselines} yet.",
            f"Accept a baseline: recbench baseline accept RUN --label {text}",
        )
    raise unknown_name(
        "records", text, labels, f"Give a folder of records, one record, a label in {baselines}, or REV:PATH."
    )


def of_models(record_sets: Sequence[RecordSet], names: Sequence[str]) -> list[RecordSet]:
    """Returns the record sets with the records of these models only; sets without any are left out.

    Raises:
        RecbenchError: No set has records of one of them.
    """
    known = {trial.record.model for one in record_sets for trial in one.trials}
    for name in names:
        if name not in known:
            raise unknown_name("model of these records", name, known)
    chosen = [tuple(trial for trial in one.trials if trial.record.model in names) for one in record_sets]
    return [replace(one, trials=trials) for one, trials in zip(record_sets, chosen, strict=True) if trials]


def _in_revision(text: str) -> RecordSet:
    with checked_out(text) as found:
        revision = text.partition(":")[0]
        location = f"{found.sha}:{found.path.removeprefix('./')}"
        if found.file is not None:
            trial = _without_path(_read(found.folder / found.file, text))
            return RecordSet(text, (trial,), frozenset([location]))
        files = frozenset(f"{location}/{path.name}" for path in found.folder.glob("*.json"))
        trials = _in_folder(found.folder, f"{revision}:{found.path}")
        return RecordSet(text, tuple(map(_without_path, trials)), files)


def _without_path(trial: FinishedTrial) -> FinishedTrial:
    """Returns the trial, whose ranks are read, without its file, which is a temporary one."""
    return FinishedTrial.in_memory(trial.record, trial.ranks, trial.place)


def _in_folder(folder: Path, place: str) -> tuple[FinishedTrial, ...]:
    paths = sorted(folder.glob("*.json"))
    if not paths:
        below = sorted({path.parent.relative_to(folder).as_posix() for path in folder.rglob("*--seed*.json")})
        raise NothingToCompareError(
            f"There are no records in {place}.",
            f"There are in: {', '.join(f'{place}/{name}' for name in below[:5])}."
            if below
            else "Records are written by: recbench run --models ... -o FOLDER",
        )
    return tuple(_read(path, f"{place.rstrip('/')}/{path.name}") for path in paths)


def _files(folder: Path) -> frozenset[str]:
    return frozenset(str(path.resolve()) for path in folder.glob("*.json"))


def _read(path: Path, place: str) -> FinishedTrial:
    """Reads one record and its ranks, at once, for its path may be a temporary one; errors call it by its place."""
    try:
        trial = finished_trial(load(path), path, place)
        check_consistency(trial)
    except RecbenchError as error:
        beside = place.removesuffix(".json") + ".npz"
        message = error.message.replace(str(path.with_suffix(".npz")), beside).replace(str(path), place)
        raise RecbenchError(message, error.hint) from error
    return trial


def _folders(folder: Path) -> Sequence[Path]:
    return sorted(_subfolders(folder)) if folder.is_dir() else []


def _subfolders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir())
