"""The records of other people beside one's own, after every check."""

from collections.abc import Sequence
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.records.schema import TaskIdentity
from recbench.records.store import save
from recbench.records.suite_folder import (
    Manifest,
    SuiteRecords,
    read_manifest,
    read_suites,
    task_folder,
    write_manifest,
)
from recbench.records.suite_layout import suite_folders
from recbench.reports.suite.task_scores import tasks_of
from recbench.tasks.suite_spec import DEFAULT_METRIC


def merge_suites(folders: Sequence[Path], target: Path) -> int:
    """Copies records into the folder of a suite, a folder for each source. Nothing is copied if a check fails.

    Args:
        folders: Folders of suites, or other folders of records.
        target: The folder of the suite, such as ``results/suites/small``.

    Returns:
        How many records were copied.

    Raises:
        RecbenchError: A record does not follow from its ranks, is of another task of the same name, or its source has
            the name of one that is there already with other records.
        NothingToCompareError: A folder has no records.
    """
    given = read_suites(folders)
    present = _present(target)
    tasks_of([*present, *given])
    by_source = {records.source: records for records in present}
    for records in given:
        _check_source(records, by_source.get(records.source), target)
    manifests = [records.manifest for records in (*present, *given) if records.manifest is not None]
    _check_one_suite(manifests)
    copied = 0
    for records in given:
        folder = target / records.source
        if folder.resolve() == records.folder.resolve():
            continue
        write_manifest(folder, records.manifest or _manifest_of(records, manifests, target))
        for trial in records.trials:
            save(trial.record, trial.ranks, task_folder(folder, trial.record.task.name))
            copied += 1
    return copied


def _present(target: Path) -> list[SuiteRecords]:
    """Returns the sources that are in the folder already.

    Raises:
        RecbenchError: The folder is that of one source.
    """
    if not target.is_dir():
        return []
    if read_manifest(target) is not None:
        raise RecbenchError(
            f"{target} holds the records of one source.",
            f"Name the folder above it, which has a folder for each source: -o {target.parent}",
        )
    below = [suite_folder for suite_folder in suite_folders(target) if suite_folder != target]
    return read_suites(below)


def _check_source(new: SuiteRecords, present: SuiteRecords | None, target: Path) -> None:
    """Checks that a source does not mix with another one of its name.

    Raises:
        RecbenchError: It would.
    """
    if present is None or present.folder.resolve() == new.folder.resolve():
        return
    known = {(trial.record.task.digest, trial.record.stem()): trial.record for trial in present.trials}
    added = {(trial.record.task.digest, trial.record.stem()) for trial in new.trials}
    if not (known.keys() <= added or added <= known.keys()):
        raise RecbenchError(
            f"{target / new.source} has records that {new.folder} does not have, and lacks some of that folder: the "
            "two may be of different people.",
            "Rename the folder that is merged: its name distinguishes the source.",
        )
    for trial in new.trials:
        other = known.get((trial.record.task.digest, trial.record.stem()), trial.record)
        if other != trial.record:
            raise RecbenchError(
                f"{target / new.source} has another record than {trial.place}.",
                "Rename the folder that is merged: its name distinguishes the source.",
            )


def _check_one_suite(manifests: Sequence[Manifest]) -> None:
    names = list(dict.fromkeys(manifest.name for manifest in manifests))
    if len(names) > 1:
        raise RecbenchError(f"These folders hold different suites: {', '.join(names)}.", "Merge one suite at a time.")


def _manifest_of(source: SuiteRecords, manifests: Sequence[Manifest], target: Path) -> Manifest:
    """Returns the manifest of a source that has none: that of the others, or one of its own records."""
    if manifests:
        return manifests[0]
    tasks = dict.fromkeys((trial.record.task.name, trial.record.task.digest) for trial in source.trials)
    identities = tuple(TaskIdentity(name=name, digest=digest) for name, digest in tasks)
    return Manifest(name=target.resolve().name, metric=DEFAULT_METRIC, tasks=identities)
