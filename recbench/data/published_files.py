"""Compares the files of a dataset with what was published: by checksum, or by counts where no checksum exists.

The checksum of a file without a published one is stored beside it when it is added, so that a later change is noticed.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path

from recbench.data.cache import atomic_path
from recbench.data.catalogue import DataFile, Dataset
from recbench.data.interactions import Interactions
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError
from recbench.system_errors import cannot_read

log = logging.getLogger(__name__)


def check_published(dataset: Dataset, file: DataFile, path: Path, what: str, command: str) -> None:
    """Compares the file's checksum with the published one, if there is one.

    Args:
        dataset: The dataset.
        file: One of its files.
        path: The path of the file's content.
        what: What the content is called in the message.
        command: The command that gets the file again.

    Raises:
        RecbenchError: They differ; the message names both.
    """
    for kind, expected in (("sha256", file.sha256), ("md5", file.md5)):
        if expected is not None and (actual := checksum(path, kind)) != expected:
            raise RecbenchError(
                f"{what} is not {dataset.title} as published: {kind} of its rows is {actual}, expected {expected}.",
                f"It may be truncated or changed. Get it again: {command}",
            )


def check_counts(name: str, dataset: Dataset, paths: Mapping[str, Path], verified: Set[str]) -> None:
    """Compares the numbers of rows, users and items, if some file has no published checksum.

    Args:
        name: The dataset's name.
        dataset: The dataset.
        paths: The path of each file.
        verified: Names of the files that come from an archive with the published checksum.

    Raises:
        RecbenchError: A count is not the published one, or the rows cannot be read.
    """
    unverified = [
        file.name for file in dataset.files if file.sha256 is None and file.md5 is None and file.name not in verified
    ]
    if not unverified:
        return
    rows = read_rows(dataset, paths)
    actual = {"rows": len(rows) + rows.n_duplicates, "users": rows.n_users, "items": rows.n_items}
    wrong = [
        f"{actual[key]:,} {key}, expected {value:,}"
        for key, value in dataset.expected().items()
        if actual[key] != value
    ]
    if wrong:
        raise RecbenchError(
            f"{', '.join(unverified)}: not {dataset.title} as published: {'; '.join(wrong)}.",
            f"It may be truncated or another version. As ratings of your own: recbench task build NAME --ratings FILE. "
            f"Get it again: {dataset.homepage}",
        )
    counted = ", ".join(f"{value:,} {key}" for key, value in dataset.expected().items()) or "nothing to compare with"
    log.info("%s has the published counts: %s.", name, counted)


def record_checksum(file: DataFile, path: Path, source: str, verified: bool) -> None:
    """Writes the checksum and the source of a file beside it."""
    verified = verified or file.sha256 is not None or file.md5 is not None
    sha256 = checksum(path, "sha256")
    if not verified:
        log.warning(
            "No checksum of %s is published. The file from %s has sha256 %s, which is stored to notice later changes.",
            file.name,
            source,
            sha256,
        )
    with atomic_path(checksum_file(path)) as temporary:
        temporary.write_text(
            json.dumps({"sha256": sha256, "source": source, "verified": verified}, indent=1) + "\n",
            encoding="utf-8",
            newline="\n",
        )


def check_cached(dataset: Dataset, file: DataFile, path: Path, command: str) -> None:
    """Checks a file in the cache against its published checksum, or the checksum stored when it was added.

    Raises:
        RecbenchError: It was changed, or recbench did not add it.
    """
    what = f"The cached file {path}"
    check_published(dataset, file, path, what, command)
    if file.sha256 is not None or file.md5 is not None:
        return
    stored = _stored(checksum_file(path), "sha256")
    if stored is None:
        raise RecbenchError(f"{what} was not added by recbench, so it was never checked.", f"Get it again: {command}")
    if checksum(path, "sha256") != stored:
        raise RecbenchError(f"{what} was changed after it was added.", f"Get it again: {command}")


def stored_source(note: Path) -> str | None:
    """Returns where a cached file comes from, as the file beside it says; None if there is no file beside it.

    Args:
        note: The file beside it, see ``checksum_file``.

    Raises:
        RecbenchError: The file beside it cannot be read, or is damaged.
    """
    return _stored(note, "source")


def _stored(note: Path, key: str) -> str | None:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise cannot_read(str(note), error) from error
    except (ValueError, RecursionError) as error:
        raise RecbenchError(
            f"{note} is damaged: {error}.", "Get the dataset again: recbench data fetch NAME"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get(key), str):
        raise RecbenchError(f"{note} is damaged: it has no {key}.", "Get the dataset again: recbench data fetch NAME")
    return str(content[key])


def read_rows(dataset: Dataset, paths: Mapping[str, Path], *, keep_repeated: bool = False) -> Interactions:
    """Reads all files of a dataset that hold rows, in their order.

    Args:
        dataset: The dataset.
        paths: The path of each file.
        keep_repeated: Keep all rows of a (user, item) pair, not the first of them.
    """
    first, *more = (paths[file.name] for file in dataset.files if file.holds == "rows")
    return read_interactions(first, replace(dataset.layout, keep_repeated=keep_repeated), *more)


def checksum(path: Path, kind: str) -> str:
    """Returns the hash ``kind`` of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def checksum_file(path: Path) -> Path:
    """Returns the file beside ``path`` that stores its checksum and source."""
    return path.with_name(f"{path.name}.adopted.json")
