"""Gets the files of a catalogue entry into the cache: from its homepage, a mirror, or files that the user has."""

import logging
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from recbench.data.cache import home, move_into_place, remove_leftovers_in_cache, write_errors
from recbench.data.catalogue import ArchiveSource, DataFile, Dataset, FileSource, find_dataset
from recbench.data.download import SourceError, describe, download, write_member
from recbench.data.file_use import record_use
from recbench.data.published_files import (
    check_cached,
    check_counts,
    check_published,
    checksum,
    checksum_file,
    record_checksum,
)
from recbench.errors import RecbenchError
from recbench.path_checks import check_no_folder
from recbench.system_errors import advice, reason
from recbench.temporary_files import temporary_folder

log = logging.getLogger(__name__)


def cached_files(name: str) -> dict[str, Path]:
    """Returns the path in the cache of each file of dataset ``name``, whether it exists or not."""
    folder = home() / "datasets" / name
    return {file.name: folder / file.name for file in find_dataset(name).files}


def is_cached(name: str) -> bool:
    """Whether every file of dataset ``name`` is in the cache."""
    return all(path.exists() for path in cached_files(name).values())


def fetch(name: str, *, force: bool = False, progressbar: bool = False) -> dict[str, Path]:
    """Returns the paths of the checked files of dataset ``name``, fetching them first if needed.

    Args:
        name: A name of the catalogue.
        force: Fetch even if the cache has the files.
        progressbar: Draw one on standard error while downloading.

    Raises:
        RecbenchError: Unknown name, no source could be reached, or the rows are not the published ones.
    """
    dataset, cached = find_dataset(name), cached_files(name)
    if is_cached(name) and not force:
        for file in dataset.files:
            check_cached(dataset, file, cached[file.name], f"recbench data fetch {name} --force")
            record_use(cached[file.name])
        return cached
    log.info("Fetching %s (%s). Terms of use:\n%s", name, dataset.title, dataset.terms.strip())
    with _gathering() as gathered:
        for file in dataset.files:
            _fetch_file(name, dataset, file, gathered, progressbar)
        return _store(name, dataset, gathered)


def add(name: str, paths: Sequence[Path]) -> dict[str, Path]:
    """Adds files of dataset ``name`` that the user has: the published archive, a wheel of the mirror, or bare files.

    Raises:
        RecbenchError: Unknown name, unreadable or missing files, or other rows than the published ones.
    """
    dataset = find_dataset(name)
    with _gathering() as gathered:
        for path in paths:
            check_no_folder(path)
            try:
                _add_file(dataset, path, gathered)
            except OSError as error:
                raise RecbenchError(
                    f"Cannot add {name} from {path}: {reason(error)}.", advice(error, "Check the path.")
                ) from error
            except SourceError as error:
                raise RecbenchError(
                    f"Cannot add {name} from {path}: {error}.",
                    f"Expected: {_expected_files(dataset)} ({dataset.homepage}).",
                ) from error
        if missing := [file.name for file in dataset.files if file.name not in gathered.paths]:
            raise RecbenchError(
                f"Dataset {name!r} is {len(dataset.files)} files; missing: {', '.join(missing)}.",
                f"Give all at once: recbench data add {name} {' '.join(file.name for file in dataset.files)}",
            )
        return _store(name, dataset, gathered)


@dataclass(slots=True)
class _Gathered:
    """Files on their way into the cache.

    Attributes:
        folder: The folder that holds them until all are checked.
        paths: The path of each, by its name.
        sources: Where each comes from.
        verified: Names of those that come from an archive with the published checksum.
    """

    folder: Path
    paths: dict[str, Path] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)

    def put(self, file: DataFile, source: str, verified: bool) -> None:
        self.paths[file.name] = self.folder / file.name
        self.sources[file.name] = source
        if verified:
            self.verified.add(file.name)


@contextmanager
def _gathering() -> Iterator[_Gathered]:
    """Yields a folder in the cache; what was not moved into its place is removed with it."""
    beside = home() / "datasets"
    remove_leftovers_in_cache()
    with ExitStack() as stack:
        with write_errors(beside):
            beside.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(temporary_folder(beside))
        yield _Gathered(folder)


def _fetch_file(name: str, dataset: Dataset, file: DataFile, gathered: _Gathered, progressbar: bool) -> None:
    failures = []
    for source in file.sources:
        target = gathered.folder / file.name
        try:
            download(source, target, progressbar)
        except SourceError as failure:
            log.warning("%s", failure)
            failures.append(str(failure))
            continue
        check_published(dataset, file, target, f"What {describe(source)} sent", f"recbench data add {name} FILE")
        published = isinstance(source, ArchiveSource | FileSource) and source.checksum is not None
        gathered.put(file, describe(source), published)
        return
    raise RecbenchError(
        f"Dataset {name!r} could not be fetched ({file.name}):\n  " + "\n  ".join(failures),
        f"Download it on another machine ({dataset.homepage}) and add it, which checks it: "
        f"recbench data add {name} FILE\n"
        f"Expected: {_expected_files(dataset)}\n"
        "Or use ratings of your own: recbench task build NAME --ratings FILE\n"
        "Or run without any data: recbench run --task synthetic",
    )


def _add_file(dataset: Dataset, path: Path, gathered: _Gathered) -> None:
    """Adds what one file of the user's holds of the dataset."""
    if zipfile.is_zipfile(path):
        _add_archive(dataset, path, gathered)
        return
    named = [file for file in dataset.files if file.name == path.name] or (
        [*dataset.files] if len(dataset.files) == 1 else []
    )
    if not named:
        raise SourceError(f"its name is not one of {', '.join(file.name for file in dataset.files)}")
    shutil.copyfile(path, gathered.folder / named[0].name)
    check_published(dataset, named[0], path, f"The file {path}", f"from {dataset.homepage}")
    gathered.put(named[0], str(path.absolute()), verified=False)


def _add_archive(dataset: Dataset, path: Path, gathered: _Gathered) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(f"the archive cannot be read ({error})") from error
    added = False
    for file in dataset.files:
        for source in file.sources:
            if isinstance(source, FileSource) or source.member not in members:
                continue
            pinned = file.sha256 is not None or file.md5 is not None
            published = source.checksum if isinstance(source, ArchiveSource) else None
            if published is not None and not pinned:
                kind, _, expected = published.partition(":")
                if (actual := checksum(path, kind)) != expected:
                    raise SourceError(f"its {kind} is {actual}, that of the published archive is {expected}")
            write_member(path, source, gathered.folder / file.name)
            check_published(dataset, file, gathered.folder / file.name, f"The file {path}", f"from {dataset.homepage}")
            gathered.put(file, str(path.absolute()), published is not None)
            added = True
            break
    if not added:
        expected_members = [s.member for file in dataset.files for s in file.sources if not isinstance(s, FileSource)]
        raise SourceError(
            f"it has no member {' or '.join(expected_members)}" if expected_members else "it is an archive"
        )


def _expected_files(dataset: Dataset) -> str:
    """Returns which files hold the dataset, in words."""
    archives = [s for file in dataset.files for s in file.sources if isinstance(s, ArchiveSource)]
    names = " and ".join(file.name for file in dataset.files)
    if not archives:
        return names
    first = archives[0]
    return f"{first.url.rpartition('/')[2]} ({first.checksum or 'no published checksum'}), or {first.member} out of it"


def _store(name: str, dataset: Dataset, gathered: _Gathered) -> dict[str, Path]:
    """Checks the counts and moves the files into the cache."""
    check_counts(name, dataset, gathered.paths, gathered.verified)
    cached = cached_files(name)
    for file in dataset.files:
        record_checksum(file, gathered.paths[file.name], gathered.sources[file.name], file.name in gathered.verified)
    _move(gathered.paths, cached)
    return cached


def _move(paths: Mapping[str, Path], cached: Mapping[str, Path]) -> None:
    for name, path in paths.items():
        note, new_note = checksum_file(cached[name]), checksum_file(path)
        if cached[name].exists() and not (note.exists() and note.read_bytes() == new_note.read_bytes()):
            # Whatever ends this process, no file is left beside the note of another.
            cached[name].unlink()
        move_into_place(new_note, note)
        move_into_place(path, cached[name])
