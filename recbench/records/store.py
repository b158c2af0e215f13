"""Records on disk: a JSON file, and beside it the ranks of every case."""

import contextlib
import io
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from recbench.data.archives import DamagedArchiveError, read_vectors
from recbench.data.cache import atomic_path, flush, write_errors
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.ranking import Ranks
from recbench.file_content import has_merge_marks, is_lfs_pointer, other_content
from recbench.path_checks import check_no_file_above
from recbench.process_locks import lock_held
from recbench.protocol import Int32Array
from recbench.records.consistency import check_consistency
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.interruption import interruption_is_pending, uninterrupted
from recbench.records.replacement import combined
from recbench.records.schema import SCHEMA, Record, Status
from recbench.system_errors import UnreadableError, advice_to_write, cannot_read, reason
from recbench.temporary_files import remove_leftovers, temporary_folder

LOCK_NAME = ".lock"
LOCK_SECONDS = 60
ASIDE = ".unsaved-"
"""Begins the name of a folder with the files of a trial that is not in its place yet."""
REPLACED = "replaced"
"""The folder of results of earlier code, each replaced by a failed trial of changed code."""
EARLIER_TEMPORARY = re.compile(r"\..+--.+--seed\d+\.(json|npz)\.[0-9a-f]{16}\.tmp")
"""A record that an earlier version of recbench was writing when it was killed."""
OTHER_FOLDER = "Choose another folder with -o."
MOST_CASES = 10**8
RANK_ARRAYS = ("users", "n_others", "better", "tied")
"""Fields of ``Ranks``, in their order."""
NEW_NAMES = ("new.items", "new.users")
"""Fields of ``NewCases``, in their order; older records have none of them."""
RANK_NAMES = [*(f"{kind}.{name}" for kind in ("candidates", "catalogue") for name in RANK_ARRAYS), *NEW_NAMES]


Combine = Callable[[FinishedTrial | None, FinishedTrial], FinishedTrial | None]
"""Given the stored trial, None if there is no whole one, and the new one, returns what to store; None for nothing."""


def new_one(present: FinishedTrial | None, new: FinishedTrial) -> FinishedTrial | None:  # noqa: ARG001
    """Stores the new trial."""
    return new


def save(record: Record, ranks: TrialRanks | None, folder: Path, combine: Combine = new_one) -> FinishedTrial:
    """Writes a record and its ranks.

    Whatever ends the process, the folder holds the trial that was there, or the new one.

    Args:
        record: The record.
        ranks: The ranks of all cases, if the trial is done.
        folder: Where to; made if it does not exist.
        combine: Decides what to store.

    Returns:
        The trial of this record, whatever is stored.

    Raises:
        LockHeldError: Another process does not let go of the folder.
        RecbenchError: The folder cannot be written, or the present record cannot be read.
    """
    path = folder / f"{record.stem()}.json"
    new = FinishedTrial.in_memory(record, ranks, str(path))
    with uninterrupted(), locked(folder):
        present = _present(path)
        stored = combine(present, new)
        if stored is None:
            return new
        if present is not None and present.record.status is Status.DONE and stored.record.status is not Status.DONE:
            _keep_replaced(path)
        _place(set_aside(stored, folder), folder)
    return finished_trial(record, path)


def set_aside(trial: FinishedTrial, folder: Path) -> Path:
    """Writes a trial where no lock is needed; the next command that takes the folder's lock stores it.

    Args:
        trial: The trial.
        folder: The folder of records.

    Returns:
        Where it is.

    Raises:
        RecbenchError: The folder cannot be written.
    """
    path = folder / f"{trial.record.stem()}.json"
    aside = folder / f"{ASIDE}{secrets.token_hex(8)}"
    with write_errors(path):
        remove_leftovers(folder)
        with temporary_folder(folder) as made:
            if trial.ranks is not None:
                _write(made / path.with_suffix(".npz").name, ranks_to_bytes(trial.ranks))
            _write(made / path.name, trial.record.to_json().encode())
            flush(made)
            made.rename(aside)
    flush(folder)
    return aside


def store_set_aside(folder: Path) -> None:
    """Stores the trials that ended commands have set aside, if nobody holds the folder's lock.

    Args:
        folder: The folder of records; it need not exist.
    """
    if any(folder.glob(f"{ASIDE}*")):
        with contextlib.suppress(RecbenchError), locked(folder, seconds=0):
            pass


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    flush(path)


def _place(aside: Path, folder: Path) -> None:
    """Moves the files of a trial that was set aside to their places.

    The old record goes before the new ranks come, so that no record ever stands beside ranks that are not its own.
    """
    record = next(aside.glob("*.json"))
    path, ranks = folder / record.name, record.with_suffix(".npz")
    with write_errors(path):
        path.unlink(missing_ok=True)
        if ranks.exists():
            ranks.replace(path.with_suffix(".npz"))
        elif load(record).status is not Status.DONE:
            path.with_suffix(".npz").unlink(missing_ok=True)
        record.replace(path)
        flush(folder)
    shutil.rmtree(aside, ignore_errors=True)


def _place_all(folder: Path) -> None:
    """Stores what ended commands have set aside, if it is whole and not worse than what is there."""
    for aside in sorted(folder.glob(f"{ASIDE}*")):
        path = next(aside.glob("*.json"), None)
        if path is None:
            # The process ended after it had moved the record, which it moves last.
            shutil.rmtree(aside, ignore_errors=True)
            continue
        try:
            record, present = load(path), _present(folder / path.name)
        except UnreadableError:
            raise
        except RecbenchError:
            # Nobody can read it. It stays, for whoever wants to look.
            continue
        if combined(present, finished_trial(record, path), _is_older(record)) is not None:
            _place(aside, folder)
        else:
            shutil.rmtree(aside, ignore_errors=True)


def _is_older(record: Record) -> Callable[[Record], bool]:
    """Returns the test whether a stored record is of the same code; a newer record counts as such."""
    return lambda present: present.code_version == record.code_version or present.started_at > record.started_at


def _present(path: Path) -> FinishedTrial | None:
    """Returns the whole trial at a path; None if there is none, or its files are damaged.

    Raises:
        UnreadableError: The system does not let it be read, so that it may be a good one.
    """
    try:
        trial = finished_trial(load(path), path)
        check_consistency(trial)
    except UnreadableError:
        raise
    except RecbenchError:
        return None
    return trial


def _keep_replaced(path: Path) -> None:
    """Keeps the results of earlier code, which a failed trial of changed code replaces, in a folder of their own."""
    target = path.parent / REPLACED / path.name
    with write_errors(target), atomic_path(target.with_suffix(".npz")) as ranks, atomic_path(target) as record:
        shutil.copyfile(path.with_suffix(".npz"), ranks)
        shutil.copyfile(path, record)


def finished_trial(record: Record, path: Path, place: str | None = None) -> FinishedTrial:
    """Returns the trial of a record at ``path``; its ranks are read from beside it when they are asked for.

    Args:
        record: The record.
        path: Its file.
        place: What people call the file, if not by its path.
    """
    return FinishedTrial(record, str(path) if place is None else place, path, partial(load_ranks, path, record.n_cases))


def tidy(folder: Path) -> None:
    """Stores or removes what processes that were killed while they wrote have left in a folder of records.

    Raises:
        RecbenchError: The folder cannot be written.
    """
    with locked(folder):
        remove_leftovers(folder)
        for left in folder.iterdir():
            if EARLIER_TEMPORARY.fullmatch(left.name):
                left.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path, seconds: float | None = None) -> Iterator[None]:
    """Keeps other runs from writing records into the folder meanwhile; the lock ends with its process.

    An interruption that is put off ends the waiting. What ended commands have set aside is stored first.

    Args:
        folder: The folder; made if it does not exist.
        seconds: How long to wait for another process; None for ``LOCK_SECONDS``.

    Raises:
        LockHeldError: Another process does not let go of it.
        RecbenchError: The folder cannot be written.
    """
    check_no_file_above(folder, OTHER_FOLDER)
    patience = LOCK_SECONDS if seconds is None else seconds
    lock = lock_held(folder / LOCK_NAME, patience, OTHER_FOLDER, interruption_is_pending)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.__enter__()
    except OSError as error:
        raise RecbenchError(
            f"Cannot write to the output folder {folder}: {reason(error)}.", advice_to_write(error, OTHER_FOLDER)
        ) from error
    try:
        _place_all(folder)
        yield
    finally:
        lock.__exit__(None, None, None)


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
        content = json.loads(text.decode("utf-8"), object_pairs_hook=_without_repetition)
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


def load_ranks(path: Path, most_cases: int = MOST_CASES) -> TrialRanks:
    """Reads the ranks beside the record at ``path``.

    Args:
        path: The record.
        most_cases: The cases of the record: a file with more is damaged, and is not read.

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
        return ranks_from_bytes(content, most_cases)
    except (DamagedArchiveError, KeyError) as error:
        other = other_content(beside, content, binary=True)
        reason = f"the file {other.what}" if other else str(error)
        raise RecbenchError(
            f"The ranks {beside} of a record cannot be read: {reason}.",
            _advice(path, content) or (other and other.advice) or "Run the trial again.",
        ) from error


def ranks_to_bytes(ranks: TrialRanks) -> bytes:
    """Returns the content of a file of ranks."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **_arrays(ranks))
    return buffer.getvalue()


def ranks_from_bytes(content: bytes, most_cases: int) -> TrialRanks:
    """Reads the content of a file of ranks.

    Args:
        content: The content.
        most_cases: The most cases it may have.

    Raises:
        DamagedArchiveError: It is not one, has more cases, or names new cases that it does not have.
        KeyError: An array is missing.
    """
    arrays = read_vectors(content, RANK_NAMES, most_cases)
    catalogue = _ranks(arrays, "catalogue") if "catalogue.better" in arrays else None
    candidates = _ranks(arrays, "candidates")
    return TrialRanks(candidates, catalogue, _new_cases(arrays, len(candidates)))


def _no_record(path: Path, content: bytes, reason: str) -> RecbenchError:
    other = other_content(path, content)
    if other is not None:
        advice = _advice(path, content) or other.advice or "Run the trial again."
        return RecbenchError(f"{path} is not a record: it {other.what}.", advice)
    return RecbenchError(f"{path} is not a record: {reason}.", "It may be truncated; run the trial again.")


def _advice(path: Path, content: bytes) -> str:
    """Returns what to do about a file of the record at a path that git has changed; empty if git has not."""
    record, ranks = shell_word(path), shell_word(path.with_suffix(".npz"))
    if is_lfs_pointer(content):
        return f"Get the record and its ranks: git lfs pull --include {record},{ranks}"
    if has_merge_marks(content):
        return (
            f"Keep the record and the ranks of one version: git checkout --ours {record} {ranks}, or --theirs. "
            f"If the marks are committed, take both files from a commit without them: git log --oneline -- {record}"
        )
    return ""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns an object of JSON.

    Raises:
        ValueError: A key occurs twice. Python would take the last value.
    """
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice!r} occurs twice, as after a merge that kept the lines of both versions")
    return content


def _refuse_other_json(content: Any, path: Path) -> None:
    if isinstance(content, dict) and ("model" in content or "reference" in content):
        return
    what, advice = "is JSON of another kind", "Give a folder of records, or one record: recbench run -o FOLDER"
    if isinstance(content, dict) and "benchmarks" in content:
        what, advice = "is a file of pytest-benchmark", "Compare such files: recbench compare --timings BASE CURRENT"
    elif isinstance(content, dict) and {"schema", "results"} <= content.keys():
        what, advice = "is what recbench printed with --json", "Give the folder of the records, which -o named"
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
    arrays = {f"{kind}.{name}": getattr(one, name) for kind, one in kinds.items() if one for name in RANK_ARRAYS}
    if ranks.new is not None:
        arrays |= zip(NEW_NAMES, (ranks.new.items, ranks.new.users), strict=True)
    return arrays


def _new_cases(arrays: Mapping[str, Int32Array], n_cases: int) -> NewCases | None:
    if not any(name in arrays for name in NEW_NAMES):
        return None
    for name in NEW_NAMES:
        places = arrays[name]
        if np.any(places[1:] <= places[:-1]) or (len(places) and not 0 <= places[0] <= places[-1] < n_cases):
            raise DamagedArchiveError(f"its {name!r} are not ascending places of its {n_cases:,} cases")
    return NewCases(*(arrays[name] for name in NEW_NAMES))


def _ranks(arrays: Mapping[str, Int32Array], kind: str) -> Ranks:
    users, n_others, better, tied = (arrays[f"{kind}.{name}"] for name in RANK_ARRAYS)
    return Ranks(users, n_others, better, tied)
