"""What a worker of a cluster does for a run: keep the task, and run one trial at a time in a process of its own."""

import hashlib
import re
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import recbench
from recbench.data.cache import home, locked_file
from recbench.errors import RecbenchError
from recbench.operating_system.processor import available_cores
from recbench.protocol import PROTOCOL_VERSION
from recbench.records.ranks_file import ranks_to_bytes
from recbench.runners.base import Assignment
from recbench.runners.limits import Limits
from recbench.runners.processes.local import wait_for
from recbench.runners.processes.supervision import Supervision
from recbench.tasks import task_file
from recbench.trials import logs
from recbench.trials.conditions import Conditions
from recbench.trials.events import Notify
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import PlannedTrial

VERSION = f"{recbench.__version__}, protocol {PROTOCOL_VERSION}"
SECONDS_BETWEEN_QUESTIONS = 0.5
SECONDS_BETWEEN_PARTS = 60.0
"""A run of whose task no part has come for so long has ended, and another run sends the task."""
_one_at_a_time = threading.Lock()


class Delivery(StrEnum):
    """Whether a task has to be sent to a machine."""

    HERE = "here"
    COMES = "comes"
    """Another run sends it at the moment."""
    NEEDED = "needed"


class UnusableWorkerError(RecbenchError):
    """The system of a worker's machine does not let it run trials: its disk is full, or its cache is read-only."""


@dataclass(frozen=True, slots=True)
class RemoteTrial:
    """A trial for a worker.

    Attributes:
        version: Of the run's recbench.
        trial: Which.
        task: The task.
        conditions: What it is run under.
        limits: What ends it.
        concurrent: How many trials may run at a time on the worker's machine.
        folder: Where the run was started; the trial is run there too, if the worker's machine has that folder.
    """

    version: str
    trial: PlannedTrial
    task: TaskFacts
    conditions: Conditions
    limits: Limits
    concurrent: int
    folder: Path


@dataclass(frozen=True, slots=True)
class RemoteResult:
    """What came of it, as bytes.

    Attributes:
        record: The record's JSON.
        ranks: The file of its ranks; empty if there are none.
        log: What the process printed.
    """

    record: str
    ranks: bytes
    log: bytes


def run_remote(job: RemoteTrial, is_wanted: Callable[[], bool], notify: Notify) -> RemoteResult | None:
    """Runs a trial on this machine, after whatever trial this worker still runs.

    Args:
        job: The trial.
        is_wanted: Whether anyone still waits for it.
        notify: Receives the trial's events.

    Returns:
        What came of it; None if nobody waits any more.

    Raises:
        RecbenchError: This worker cannot run it.
    """
    if job.version != VERSION:
        raise RecbenchError(
            f"The run uses recbench {job.version}, but the worker has {VERSION}.",
            "Install the same version on all machines.",
        )
    if job.conditions.threads > (cores := available_cores()):
        raise RecbenchError(
            f"--threads {job.conditions.threads}, but the worker may use {cores} cores.", "Use fewer threads."
        )
    path = task_path(job.task.identity.digest)
    if not path.exists():
        raise RecbenchError(
            f"The worker no longer has the task: {path}.", "Start the run again: it sends the task again."
        )
    while not _one_at_a_time.acquire(timeout=SECONDS_BETWEEN_QUESTIONS):
        if not is_wanted():
            return None
    try:
        return _run_alone(job, path, is_wanted, notify)
    finally:
        _one_at_a_time.release()


def _run_alone(job: RemoteTrial, path: Path, is_wanted: Callable[[], bool], notify: Notify) -> RemoteResult | None:
    with tempfile.TemporaryDirectory() as folder:
        log = logs.new_log(Path(folder), "trial")
        assignment = Assignment(
            path, job.task, job.conditions, job.limits, job.concurrent, job.folder if job.folder.is_dir() else None
        )
        supervision = Supervision(job.trial, assignment, log, notify)
        try:
            while (outcome := supervision.step()) is None or not outcome.is_final:
                if not is_wanted():
                    return None
                wait_for([supervision.worker])
        finally:
            supervision.end()
        ranks = b"" if outcome.ranks is None else ranks_to_bytes(outcome.ranks)
        return RemoteResult(outcome.record.to_json(), ranks, log.read_bytes())


def task_path(digest: str) -> Path:
    """Returns where a worker keeps the task of that digest.

    Raises:
        RecbenchError: It is not a digest.
    """
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise RecbenchError(f"{digest[:80]!r} is not the digest of a task.")
    return home() / "tasks" / "shipped" / f"{digest.removeprefix('sha256:')}.task"


def has_task(digest: str) -> bool:
    """Whether the task is here; its content is checked when a trial loads it."""
    stated = task_file.identity_of(task_path(digest))
    return stated is not None and stated[1] == digest


def claim_task(digest: str, name: str) -> Delivery:
    """Says whether a run has to send the task: once to a machine, whose workers share the cache.

    Args:
        digest: The task's.
        name: What only this run is called. Its parts are received under this name.
    """
    own = _arriving(digest, name)
    own.parent.mkdir(parents=True, exist_ok=True)
    with locked_file(task_path(digest)):
        if has_task(digest):
            return Delivery.HERE
        own.touch()
        # By the clock of the file system, which may be another machine's.
        oldest = own.stat().st_mtime - SECONDS_BETWEEN_PARTS
        for other in own.parent.glob(_arriving_name(digest, "*")):
            # It may have been installed meanwhile.
            with suppress(FileNotFoundError):
                if other != own and other.stat().st_mtime > oldest:
                    own.unlink()
                    return Delivery.COMES
    return Delivery.NEEDED


def receive_part(digest: str, name: str, part: bytes, offset: int) -> None:
    """Writes a part of a task's file, under a name that only one run uses."""
    path = _arriving(digest, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(part)


def install_task(digest: str, name: str) -> None:
    """Checks a task that has arrived, all of its rules included, and puts it in its place.

    Raises:
        RecbenchError: It is not the task of that digest.
    """
    path = _arriving(digest, name)
    try:
        received_digest = task_file.load(path).digest
        if received_digest != digest:
            raise RecbenchError(
                f"The worker received the task {received_digest} instead of {digest}.", "Start the run again."
            )
        path.replace(task_path(digest))
    finally:
        path.unlink(missing_ok=True)


def _arriving(digest: str, name: str) -> Path:
    # The name may be anything that a run sends.
    return task_path(digest).with_name(_arriving_name(digest, hashlib.sha256(name.encode()).hexdigest()[:16]))


def _arriving_name(digest: str, run: str) -> str:
    return f".{task_path(digest).name}.{run}.tmp"
