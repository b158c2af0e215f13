"""Checks of the results of suites, for pull requests that add records."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.experiments.suite import SUITES_FOLDER
from recbench.records.suite_folder import read_folder, read_manifest, read_suites, task_folder
from recbench.records.suite_layout import MANIFEST, record_folders
from recbench.reports.suite.task_scores import tasks_of
from recbench.tasks.named_specs import builtin_specs

LAYOUT = "results/suites/SUITE/WHO/TASK/*.json"


def lint_suites(folders: Sequence[Path] = ()) -> list[str]:
    """Returns a line for each problem of the results of suites; none if all is well.

    Each record must follow from its ranks, lie in the folder of its task, and be of the task that the suite lists. A
    builtin task must have the digest of this version of recbench.

    Args:
        folders: Folders of suites; none for all in ``results/suites``.

    Raises:
        RecbenchError: A folder does not exist.
    """
    suites = list(folders) or sorted(path for path in SUITES_FOLDER.glob("*") if path.is_dir())
    problems: list[str] = []
    for suite in suites:
        if not suite.is_dir():
            raise RecbenchError(f"{suite} is not a folder.", "Name the folder of a suite: results/suites/SUITE")
        problems += _suite(suite)
    return problems


def _suite(suite: Path) -> Iterator[str]:
    sources = sorted(path for path in suite.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not sources:
        yield f"{suite}: there is no folder of a source; the layout is {LAYOUT}"
    names = set()
    sound = True
    for source in sources:
        problems = list(_source(source))
        sound = sound and not problems
        yield from problems
        if not problems and (manifest := read_manifest(source)) is not None:
            names.add(manifest.name)
    if len(names) > 1:
        yield f"{suite}: its sources are of different suites: {', '.join(sorted(names))}"
    if sound and sources:
        try:
            tasks_of(read_suites(sources))
        except RecbenchError as error:
            yield f"{suite}: {error.message}"


def _source(source: Path) -> Iterator[str]:
    try:
        manifest = read_manifest(source)
    except RecbenchError as error:
        yield error.message
        return
    if manifest is None:
        yield f"{source}: {MANIFEST} is missing; 'recbench suite run' and 'recbench suite merge' write it"
        return
    listed = {task.name: task.digest for task in manifest.tasks}
    for name, digest in listed.items():
        pinned = spec.digest if (spec := builtin_specs().get(name)) else None
        if pinned is not None and pinned != digest:
            yield f"{source / MANIFEST}: the digest of {name} is {digest[:19]}, and that of this version {pinned[:19]}"
    folders = list(record_folders(source))
    if not folders:
        yield f"{source}: there are no records"
    for folder in folders:
        yield from _records(source, folder, listed)


def _records(source: Path, folder: Path, listed: dict[str, str]) -> Iterator[str]:
    try:
        trials = read_folder(folder)
    except RecbenchError as error:
        yield error.message
        return
    for trial in trials:
        task = trial.record.task
        if folder != task_folder(source, task.name):
            yield f"{trial.place}: it is a record of {task.name}, whose folder is {task_folder(source, task.name)}"
        if task.name not in listed:
            yield f"{trial.place}: {task.name} is not a task of {source / MANIFEST}"
        elif listed[task.name] != task.digest:
            digests = f"{task.digest[:19]}, not {listed[task.name][:19]}"
            yield f"{trial.place}: it is of another task {task.name!r}: {digests}"
