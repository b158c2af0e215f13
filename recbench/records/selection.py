"""The two sides of a comparison: finding the records that a user means, and reading them with their ranks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recbench.errors import NothingToCompareError, RecbenchError, unknown_name
from recbench.evaluation.ranking import Ranks
from recbench.records.consistency import check_consistency
from recbench.records.git_records import checked_out
from recbench.records.schema import Record, Status
from recbench.records.store import StoredRecord, load, load_ranks

BASELINES = Path("results/baselines")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, eq=False)
class RankedTrial:
    """A record that was read.

    Attributes:
        record: The record.
        place: Where it lies, for people; of a git revision as ``REV:PATH``.
        ranks: Its ranks among the candidates, which its figures follow from; None unless it is done.
        catalogue: Its ranks in the whole catalogue, if it has them.
    """

    record: Record
    place: str
    ranks: Ranks | None
    catalogue: Ranks | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a comparison.

    Attributes:
        text: What the user called it.
        trials: Its records; at least one.
        locations: Their files: absolute paths, or ``sha:path``.
    """

    text: str
    trials: tuple[RankedTrial, ...]
    locations: frozenset[str]


def read_sides(base: str, current: str) -> tuple[Side, Side]:
    """Reads both sides of a comparison.

    Raises:
        RecbenchError: They have records in common, or one of them cannot be read.
        NothingToCompareError: One of them has no records.
    """
    sides = read_side(base), read_side(current)
    if sides[0].locations & sides[1].locations:
        same = sides[0].locations == sides[1].locations
        raise RecbenchError(
            f"BASE and CURRENT {'are the same records' if same else 'have records in common'}: {base} and {current}.",
            "Comparing a run with itself tells nothing; give -o NAME to the second run.",
        )
    return sides


def read_side(text: str, baselines: Path = BASELINES) -> Side:
    """Reads the records that ``text`` means, and checks that their figures follow from their ranks.

    Args:
        text: In this order: a folder of records; the file of one record; a label, whose records lie under
            ``baselines/<task>/<label>/``, all tasks together; ``REV:PATH``, a folder or file in a git revision.
        baselines: Where labels are.

    Raises:
        RecbenchError: ``text`` means nothing, or a record is broken, inconsistent, without its ranks, or too new.
        NothingToCompareError: There are no records, or no baseline was ever accepted.
    """
    path = Path(text)
    if path.is_dir():
        return Side(text, _in_folder(path, text), _files(path))
    if path.is_file():
        return Side(text, (_read(path, text),), frozenset([str(path.resolve())]))
    labelled = [folder / text for folder in _folders(baselines) if LABEL.fullmatch(text) and (folder / text).is_dir()]
    if labelled:
        trials = tuple(trial for folder in labelled for trial in _in_folder(folder, str(folder)))
        return Side(text, trials, frozenset().union(*map(_files, labelled)))
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


def of_models(sides: Sequence[Side], names: Sequence[str]) -> list[Side]:
    """Returns the sides with the records of these models only; sides without any are left out.

    Raises:
        RecbenchError: No side has records of one of them.
    """
    known = {trial.record.model for side in sides for trial in side.trials}
    for name in names:
        if name not in known:
            raise unknown_name("model of these records", name, known)
    chosen = [tuple(trial for trial in side.trials if trial.record.model in names) for side in sides]
    return [replace(side, trials=trials) for side, trials in zip(sides, chosen, strict=True) if trials]


def _in_revision(text: str) -> Side:
    with checked_out(text) as found:
        revision = text.partition(":")[0]
        location = f"{found.sha}:{found.path.removeprefix('./')}"
        if found.file is not None:
            return Side(text, (_read(found.folder / found.file, text),), frozenset([location]))
        files = frozenset(f"{location}/{path.name}" for path in found.folder.glob("*.json"))
        return Side(text, _in_folder(found.folder, f"{revision}:{found.path}"), files)


def _in_folder(folder: Path, place: str) -> tuple[RankedTrial, ...]:
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


def _read(path: Path, place: str) -> RankedTrial:
    """Reads one record; in errors it is called by its place, for its path may be a temporary one."""
    try:
        record = load(path)
        if record.status is not Status.DONE:
            return RankedTrial(record, place, None)
        ranks = load_ranks(path)
        check_consistency(StoredRecord(record, path), ranks)
    except RecbenchError as error:
        beside = place.removesuffix(".json") + ".npz"
        message = error.message.replace(str(path.with_suffix(".npz")), beside).replace(str(path), place)
        raise RecbenchError(message, error.hint) from error
    return RankedTrial(record, place, ranks.candidates, ranks.catalogue)


def _folders(folder: Path) -> Sequence[Path]:
    return sorted(_subfolders(folder)) if folder.is_dir() else []


def _subfolders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir())
