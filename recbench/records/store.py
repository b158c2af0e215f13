"""Records on disk: a JSON file, and beside it the ranks of every case."""

import contextlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from pydantic import ValidationError

from recbench.data.archives import DamagedArchiveError, read_npz
from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.evaluation.ranking import Ranks
from recbench.file_content import other_content
from recbench.path_checks import check_no_file_above
from recbench.protocol import Int32Array
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.interruption import uninterrupted
from recbench.records.schema import SCHEMA, Record
from recbench.system_errors import UnreadableError, cannot_read

LOCK_NAME = ".lock"
LOCK_SECONDS = 60
TEMPORARY = re.compile(r"\..+--.+--seed\d+\.(json|npz)\.[0-9a-f]{16}\.tmp")
"""A record that is being written. Other temporary files in the folder are not recbench's."""
OTHER_FOLDER = "Choose another folder with -o."
RANK_ARRAYS = ("users", "n_others", "better", "tied")
"""Fields of ``Ranks``, in their order."""


def save(record: Record, ranks: TrialRanks | None, folder: Path) -> FinishedTrial:
    """Writes a record and its ranks: afterwards both are there, or, after a crash, whole ones or no record.

    Where they take the place of others, the old record goes before the new ranks come, so that no record ever stands
    beside ranks that are not its own.

    Args:
        record: The record.
        ranks: The ranks of all cases, if the trial is done.
        folder: Where to; made if it does not exist.

    Raises:
        RecbenchError: The folder cannot be written.
    """
    path = folder / f"{record.stem()}.json"
    beside = path.with_suffix(".npz")
    with locked(folder), uninterrupted(), atomic_path(path) as temporary:
        temporary.write_text(record.to_json(), encoding="utf-8", newline="\n")
        if ranks is None:
            path.unlink(missing_ok=True)
            beside.unlink(missing_ok=True)
        else:
            with atomic_path(beside) as temporary_ranks:
                temporary_ranks.write_bytes(ranks_to_bytes(ranks))
                path.unlink(missing_ok=True)
    return finished_trial(record, path)


def finished_trial(record: Record, path: Path, place: str | None = None) -> FinishedTrial:
    """Returns the trial of a record at ``path``; its ranks are read from beside it when they are asked for.

    Args:
        record: The record.
        path: Its file.
        place: What people call the file, if not by its path.
    """
    return FinishedTrial(record, str(path) if place is None else place, path, partial(load_ranks, path))


def tidy(folder: Path) -> None:
    """Removes what processes that were killed while they wrote have left in a folder of records.

    Raises:
        RecbenchError: The folder cannot be written.
    """
    with locked(folder):
        for left in folder.iterdir():
            if TEMPORARY.fullmatch(left.name):
                left.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other runs from writing records into the folder meanwhile; the system frees a dead process's lock.

    Raises:
        RecbenchError: The folder cannot be written, or another process does not let go of it.
    """
    check_no_file_above(folder, OTHER_FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_NAME, timeout=LOCK_SECONDS)
        lock.acquire()
    except Timeout as error:
        raise RecbenchError(
            f"Another process holds {folder / LOCK_NAME} for more than {LOCK_SECONDS} s.",
            "It may be stopped: let it go on or end it; or choose another folder with -o.",
        ) from error
    except OSError as error:
        raise RecbenchError(f"Cannot write to the output folder {folder}: {error.strerror}.", OTHER_FOLDER) from error
    try:
        yield
    finally:
        lock.release()


def load(path: Path) -> Record:
    """Reads one record.

    Raises:
        RecbenchError: The file cannot be read, is of a newer schema, or breaks the schema; the message names the field.
    """
    try:
        text = path.read_bytes()
    except (OSError, MemoryError) as error:
        raise cannot_read(f"the record {path}", error) from error
    try:
        content = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        # Neither UTF-8 nor JSON, whole numbers of thousands of digits, or nested without end.
        raise _no_record(path, text, str(error)) from error
    _refuse_other_json(content, path)
    _refuse_newer(content, path)
    try:
        return Record.model_validate(content)
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
        content = beside.read_bytes()
    except FileNotFoundError as error:
        raise RecbenchError(
            f"The ranks {beside} of a record are missing.",
            "A record is two files, .json and .npz: keep them together, or run the trial again.",
        ) from error
    except (OSError, MemoryError) as error:
        raise cannot_read(f"the ranks {beside} of a record", error) from error
    try:
        return ranks_from_bytes(content)
    except (DamagedArchiveError, KeyError) as error:
        other = other_content(beside, content, binary=True)
        reason = f"the file {other.what}" if other else str(error)
        raise RecbenchError(
            f"The ranks {beside} of a record cannot be read: {reason}.",
            (other and other.advice) or "Run the trial again.",
        ) from error


def has_ranks(path: Path, ranks: TrialRanks) -> bool:
    """Whether the record at ``path`` has these ranks; False if its ranks are missing or damaged.

    Raises:
        RecbenchError: The system does not let them be read.
    """
    try:
        present = _arrays(load_ranks(path))
    except UnreadableError:
        raise
    except RecbenchError:
        return False
    wanted = _arrays(ranks)
    return present.keys() == wanted.keys() and all(np.array_equal(present[name], wanted[name]) for name in wanted)


def ranks_to_bytes(ranks: TrialRanks) -> bytes:
    """Returns the content of a file of ranks."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **_arrays(ranks))
    return buffer.getvalue()


def ranks_from_bytes(content: bytes) -> TrialRanks:
    """Reads the content of a file of ranks.

    Raises:
        DamagedArchiveError: It is not one.
        KeyError: An array is missing.
    """
    arrays = read_npz(io.BytesIO(content))
    catalogue = _ranks(arrays, "catalogue") if "catalogue.better" in arrays else None
    return TrialRanks(_ranks(arrays, "candidates"), catalogue)


def _no_record(path: Path, content: bytes, reason: str) -> RecbenchError:
    other = other_content(path, content)
    if other is not None:
        advice = other.advice or "Run the trial again."
        return RecbenchError(f"{path} is not a record: it {other.what}.", advice)
    return RecbenchError(f"{path} is not a record: {reason}.", "It may be truncated; run the trial again.")


def _refuse_other_json(content: Any, path: Path) -> None:
    if isinstance(content, dict) and ("model" in content or "reference" in content):
        return
    what, advice = "is JSON of another kind", "Give a folder of records, or one record: recbench run -o FOLDER"
    if isinstance(content, dict) and "benchmarks" in content:
        what, advice = "is a file of pytest-benchmark", "Compare such files: recbench compare --timings BASE CURRENT"
    elif isinstance(content, dict) and {"schema", "results"} <= content.keys():
        what, advice = "is what recbench printed with --json", "Give the folder of the records: that of -o"
    raise RecbenchError(f"{path} is not a record: it {what}.", advice)


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


def _ranks(arrays: Mapping[str, Int32Array], kind: str) -> Ranks:
    users, n_others, better, tied = (arrays[f"{kind}.{name}"] for name in RANK_ARRAYS)
    return Ranks(users, n_others, better, tied)
