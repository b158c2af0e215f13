"""Records on disk: a JSON file, and beside it the ranks of every case."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.evaluation.ranking import Ranks
from recbench.records.schema import Record


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record and where it lies."""

    record: Record
    path: Path


def save(record: Record, ranks: Ranks | None, folder: Path) -> StoredRecord:
    """Writes a record, and first its ranks, so that a record on disk never lacks them.

    Args:
        record: The record.
        ranks: The ranks of all cases, if the trial is done.
        folder: Where to; made if it does not exist.

    Raises:
        RecbenchError: The folder cannot be written.
    """
    path = folder / f"{record.stem()}.json"
    if ranks is None:
        path.with_suffix(".npz").unlink(missing_ok=True)
    else:
        with atomic_path(path.with_suffix(".npz")) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, better=ranks.better, tied=ranks.tied)
    with atomic_path(path) as temporary:
        temporary.write_text(record.to_json(), encoding="utf-8")
    return StoredRecord(record, path)


def load(path: Path) -> Record:
    """Reads one record.

    Raises:
        RecbenchError: The file cannot be read or breaks the schema; the message names the field.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Record.model_validate(content)
    except OSError as error:
        raise RecbenchError(f"Cannot read the record {path}: {error.strerror}.", "Check the path.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecbenchError(f"{path} is not a record: {error}.", "It may be truncated; run the trial again.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RecbenchError(
            f"{path} is not a record of this version: {field}: {first['msg']}.",
            "Run the trial again, or update recbench.",
        ) from error


def load_ranks(path: Path) -> Ranks:
    """Reads the ranks beside the record at ``path``.

    Raises:
        RecbenchError: They are missing or cannot be read.
    """
    beside = path.with_suffix(".npz")
    try:
        with beside.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return Ranks(archive["better"], archive["tied"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise RecbenchError(
            f"The ranks {beside} of a record cannot be read: {error}.", "Run the trial again."
        ) from error
