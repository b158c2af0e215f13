"""Records on disk: a JSON file, and beside it the ranks of every case."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int32Array
from recbench.records.schema import SCHEMA, Record

RANK_ARRAYS = [field.name for field in fields(Ranks)]


@dataclass(frozen=True, slots=True, eq=False)
class TrialRanks:
    """The ranks that a trial leaves behind.

    Attributes:
        candidates: Of every case among its candidates.
        catalogue: Of every case among all items that its user has not interacted with, if that was asked for.
    """

    candidates: Ranks
    catalogue: Ranks | None = None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record and where it lies."""

    record: Record
    path: Path


def save(record: Record, ranks: TrialRanks | None, folder: Path) -> StoredRecord:
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
            np.savez_compressed(file, allow_pickle=False, **_arrays(ranks))
    with atomic_path(path) as temporary:
        temporary.write_text(record.to_json(), encoding="utf-8")
    return StoredRecord(record, path)


def load(path: Path) -> Record:
    """Reads one record.

    Raises:
        RecbenchError: The file cannot be read, is of a newer schema, or breaks the schema; the message names the field.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _refuse_newer(content, path)
        return Record.model_validate(content)
    except OSError as error:
        raise RecbenchError(f"Cannot read the record {path}: {error.strerror}.", "Check the path.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecbenchError(f"{path} is not a record: {error}.", "It may be truncated; run the trial again.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RecbenchError(
            f"{path} is not a record of this version: {field}: {first['msg']}.",
            "Run the trial again, or update recbench.",
        ) from error


def load_ranks(path: Path) -> TrialRanks:
    """Reads the ranks beside the record at ``path``.

    Raises:
        RecbenchError: They are missing or cannot be read.
    """
    beside = path.with_suffix(".npz")
    try:
        with beside.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            catalogue = _ranks(archive, "catalogue") if "catalogue.better" in archive else None
            return TrialRanks(_ranks(archive, "candidates"), catalogue)
    except FileNotFoundError as error:
        raise RecbenchError(
            f"The ranks {beside} of a record are missing.",
            "A record is two files, .json and .npz: keep them together, or run the trial again.",
        ) from error
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        # Of what is no archive numpy says that it could be unpickled, unsafely.
        why = "it is not an archive of arrays" if isinstance(error, ValueError) else error
        raise RecbenchError(f"The ranks {beside} of a record cannot be read: {why}.", "Run the trial again.") from error


def _refuse_newer(content: Any, path: Path) -> None:
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise RecbenchError(
            f"{path} was written by a newer recbench: its schema is {schema}, and this one reads {SCHEMA}.",
            "Update recbench.",
        )


def _arrays(ranks: TrialRanks) -> dict[str, Int32Array]:
    kinds = {"candidates": ranks.candidates, "catalogue": ranks.catalogue}
    return {f"{kind}.{name}": getattr(one, name) for kind, one in kinds.items() if one for name in RANK_ARRAYS}


def _ranks(archive: Mapping[str, Int32Array], kind: str) -> Ranks:
    return Ranks(**{name: archive[f"{kind}.{name}"] for name in RANK_ARRAYS})
