"""Records on disk: a JSON file, and beside it the ranks of every case."""

import contextlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recbench.data.archives import VectorReader
from recbench.data.cache import atomic_path, flush, write_errors
from recbench.errors import RecbenchError, problem_text
from recbench.file_content import other_content
from recbench.path_checks import check_no_file_above
from recbench.process_locks import lock_held
from recbench.records.consistency import check_consistency
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.interruption import interruption_is_pending, uninterrupted
from recbench.records.ranks_file import advice_on_git, load_ranks, ranks_to_bytes
from recbench.records.replacement import combined
from recbench.records.schema import SCHEMA, Record, Status
from recbench.system_errors import UnreadableError, advice_to_write, cannot_read, reason
from recbench.temporary_files import remove_leftovers, temporary_folder

LOCK_NAME = ".lock"
LOCK_SECONDS = 60
ASIDE = ".unsaved-"
"""Begins the name of a folder with the files of a trial that is not in its place yet."""
RECORDS = "*--seed*.json"
"""The names of records; other files of JSON may lie beside them."""
REPLACED = "replaced"
"""The folder of results of earlier code, each replaced by a failed trial of changed code."""
EARLIER_TEMPORARY = re.compile(r"\..+--.+--seed\d+\.(json|npz)\.[0-9a-f]{16}\.tmp")
"""A record that an earlier version of recbench was writing when it was killed."""
OTHER_FOLDER = "Choose another folder with -o."


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
        _keep_done(present, stored, path)
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
    """Stores records that interrupted commands have set aside, if they are whole and not worse than the stored ones."""
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
        stored = combined(present, finished_trial(record, path), _is_older(record))
        if stored is not None:
            _keep_done(present, stored, folder / path.name)
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


def _keep_done(present: FinishedTrial | None, stored: FinishedTrial, path: Path) -> None:
    """Keeps the results of earlier code, which a failed trial of changed code replaces, in a folder of their own."""
    if present is None or present.record.status is not Status.DONE or stored.record.status is Status.DONE:
        return
    target = path.parent / REPLACED / path.name
    with write_errors(target), atomic_path(target.with_suffix(".npz")) as ranks, atomic_path(target) as record:
        shutil.copyfile(path.with_suffix(".npz"), ranks)
        shutil.copyfile(path, record)


def finished_trial(
    record: Record, path: Path, place: str | None = None, reader: VectorReader | None = None
) -> FinishedTrial:
    """Returns the trial of a record at ``path``; its ranks are read from beside it when they are asked for.

    Args:
        record: The record.
        path: Its file.
        place: What people call the file, if not by its path.
        reader: What reads the ranks of several trials; None for a single one.
    """
    read_ranks = partial(load_ranks, path, record.n_cases, reader)
    return FinishedTrial(record, str(path) if place is None else place, path, read_ranks)


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
            f"{path} is not a record of this version: {field}: {problem_text(first)}.",
            "Run the trial again, or update recbench.",
        ) from error


def _no_record(path: Path, content: bytes, reason: str) -> RecbenchError:
    other = other_content(path, content)
    if other is not None:
        advice = advice_on_git(path, content) or other.advice or "Run the trial again."
        return RecbenchError(f"{path} is not a record: it {other.what}.", advice)
    return RecbenchError(f"{path} is not a record: {reason}.", "It may be truncated; run the trial again.")


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
    what, advice = "is another kind of JSON", "Give a folder of records, or one record: recbench run -o FOLDER"
    if isinstance(content, dict) and "benchmarks" in content:
        what, advice = "is a file of pytest-benchmark", "Compare such files: recbench compare --timings BASE CURRENT"
    elif isinstance(content, dict) and {"schema", "results"} <= content.keys():
        what, advice = "is the output of recbench --json", "Give the folder of the records, as given to -o"
    raise RecbenchError(f"{path} is not a record: it {what}.", advice)


def _refuse_newer(content: Any, path: Path) -> None:
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise RecbenchError(
            f"{path} was written by a newer recbench: its schema is {schema}, and this one reads {SCHEMA}.",
            "Update recbench.",
        )
