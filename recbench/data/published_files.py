"""Holds the files of a data set to what was published: checksums, and where there are none, counts.

A file without a published checksum is adopted with its own, which is written beside it, so that a later change is
noticed all the same.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Set
from pathlib import Path

from recbench.data.cache import atomic_path
from recbench.data.catalogue import DataFile, Dataset
from recbench.data.interactions import Interactions
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError

log = logging.getLogger(__name__)


def check_published(dataset: Dataset, file: DataFile, path: Path, what: str, command: str) -> None:
    """Compares the file's checksum with the published one, if there is one.

    Args:
        dataset: The data set.
        file: Which of its files.
        path: Where its bytes are.
        what: What they are, for the message.
        command: How to get them again.

    Raises:
        RecbenchError: They differ; the message names both.
    """
    for kind, expected in (("sha256", file.sha256), ("md5", file.md5)):
        if expected is not None and (found := checksum(path, kind)) != expected:
            raise RecbenchError(
                f"{what} is not {dataset.title} as published: {kind} of its rows is {found}, expected {expected}.",
                f"It may be truncated or changed. Get it again: {command}",
            )


def check_counts(name: str, dataset: Dataset, paths: Mapping[str, Path], verified: Set[str]) -> None:
    """Counts rows, users and items, where some file could not be held to a published checksum.

    Args:
        name: The data set's name.
        dataset: The data set.
        paths: Where its files are.
        verified: Names of the files that came out of something with the published checksum.

    Raises:
        RecbenchError: A count is not the published one, or the rows cannot be read.
    """
    without = [
        file.name for file in dataset.files if file.sha256 is None and file.md5 is None and file.name not in verified
    ]
    if not without:
        return
    rows = read_rows(dataset, paths)
    found = {"rows": len(rows) + rows.n_duplicates, "users": rows.n_users, "items": rows.n_items}
    wrong = [
        f"{found[key]:,} {key}, expected {value:,}" for key, value in dataset.expected().items() if found[key] != value
    ]
    if wrong:
        raise RecbenchError(
            f"{', '.join(without)}: not {dataset.title} as published: {'; '.join(wrong)}.",
            f"It may be truncated or another version. As ratings of your own: recbench task build NAME --ratings FILE. "
            f"Get it again: {dataset.homepage}",
        )
    counted = ", ".join(f"{value:,} {key}" for key, value in dataset.expected().items()) or "nothing to compare with"
    log.info("%s has the published counts: %s.", name, counted)


def remember(file: DataFile, path: Path, source: str, verified: bool) -> None:
    """Writes beside a file without a published checksum which one it has, and where it came from."""
    if file.sha256 is not None or file.md5 is not None:
        return
    found = checksum(path, "sha256")
    if not verified:
        log.warning(
            "Nobody published a checksum of %s; what came from %s is adopted with sha256 %s.", file.name, source, found
        )
    with atomic_path(_note(path)) as temporary:
        temporary.write_text(json.dumps({"sha256": found, "source": source, "verified": verified}, indent=1) + "\n")


def check_cached(dataset: Dataset, file: DataFile, path: Path, command: str) -> None:
    """Checks a file in the cache against the published checksum, or against the one with which it was adopted.

    Raises:
        RecbenchError: It was changed, or it was not put there by recbench.
    """
    what = f"The cached file {path}"
    check_published(dataset, file, path, what, command)
    if file.sha256 is not None or file.md5 is not None:
        return
    try:
        adopted = json.loads(_note(path).read_text())["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecbenchError(
            f"{what} was put there by other means; it has not been checked.", f"Get it again: {command}"
        ) from error
    if checksum(path, "sha256") != adopted:
        raise RecbenchError(f"{what} was changed after it was adopted.", f"Get it again: {command}")


def read_rows(dataset: Dataset, paths: Mapping[str, Path]) -> Interactions:
    """Reads all files of a data set that hold rows, one after the other."""
    first, *more = (paths[file.name] for file in dataset.files if file.holds == "rows")
    return read_interactions(first, dataset.layout, *more)


def checksum(path: Path, kind: str) -> str:
    """Returns the hash ``kind`` of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.adopted.json")
