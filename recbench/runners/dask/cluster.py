"""Trials on the workers of a Dask cluster, one a worker at a time.

Which trial goes where is decided here and not by Dask's scheduler: it may give a worker several tasks at once, and so
have trials share a machine. A worker that disappears loses its trial to another one.
"""

import json
import logging
import queue
import secrets
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.records.interruption import raise_lost_interruption
from recbench.records.ranks_file import ranks_from_bytes
from recbench.records.schema import Record, Status
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Assignment
from recbench.runners.dask import tasks
from recbench.runners.dask.connection import DaskConnection, GoneError
from recbench.runners.dask.remote_trials import VERSION, RemoteResult, RemoteTrial, UnusableWorkerError
from recbench.runners.dask.worker_watch import WorkerWatch
from recbench.runners.processes.local import LocalProcesses
from recbench.trials import logs
from recbench.trials.conditions import TrialOutcome
from recbench.trials.events import TICK, Event, EventKind, IsWanted, Notify, about, always, event_from_json
from recbench.trials.identity import identity
from recbench.trials.planned import PlannedModel, PlannedTrial

if TYPE_CHECKING:
    from distributed import Future

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
"""How often a trial is begun whose workers die."""

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_TICKS = 0.1
SECONDS_TO_BEGIN = 2.0
"""A trial that a worker has not begun after so long waits behind the trial of another run."""
SECONDS_OF_GRACE = 60.0
"""A worker ends a trial at its limit by itself; after so many seconds more, the run no longer waits for its word."""


@dataclass(slots=True, eq=False)
class _Running:
    """A trial that was given to a worker.

    Attributes:
        trial: The trial.
        worker: The worker's address.
        future: Its Dask task.
        since: When the trial was given to the worker, or when its present part began: its import, or all that follows.
        phase: The part of the trial that the worker named last; empty before it has begun.
    """

    trial: PlannedTrial
    worker: str
    future: "Future"
    since: float
    phase: str = ""

    def enter(self, phase: str, now: float) -> None:
        """Notes the part of the trial that begins; the limit counts from the import's begin and from its end."""
        if self.phase in ("", "import"):
            self.since = now
        self.phase = phase


class Cluster:
    """The ``Runner`` of a cluster.

    Args:
        assignment: What the trials are run on, and the address of the scheduler: ``tcp://host:8786``.
        notify: Receives the events.
        wanted: Whether a trial should continue.

    Raises:
        RecbenchError: Dask is not installed, or nobody answers at that address.
    """

    def __init__(self, assignment: Assignment, notify: Notify, is_wanted: IsWanted = always) -> None:
        assert assignment.address is not None
        self._assignment = assignment
        self._notify = notify
        self._is_wanted = is_wanted
        self._connection = DaskConnection(assignment.address, self._hear)
        self._watch = WorkerWatch(assignment.address)
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._topic = f"recbench-{secrets.token_hex(8)}"
        self._waiting: deque[PlannedTrial] = deque()
        # By the keys of their Dask tasks, so that nothing is heard of an attempt that was given up.
        self._running: dict[str, _Running] = {}
        self._over: list[str] = []
        self._attempts: Counter[str] = Counter()
        self._announced: set[str] = set()
        self._with_task: set[str] = set()

    def configure(self, models: Sequence[RequestedModel]) -> list[PlannedModel]:
        """Imports every model on this machine, whose sources those of the workers are compared with.

        Raises:
            RecbenchError: A model cannot be imported, or rejects its parameters.
        """
        here = LocalProcesses(self._assignment, self._notify)
        try:
            return here.configure(models)
        finally:
            here.close()

    def run(self, trials: Iterable[PlannedTrial], folder: Path) -> Iterator[tuple[PlannedTrial, TrialOutcome]]:
        """Runs the trials, and yields what each gave; the order is that in which they end.

        Trials that are not wanted any more are ended. Without any worker, it waits until one comes.

        Raises:
            RecbenchError: The cluster is lost or has no workers, or no worker can run trials.
        """
        self._connection.listen(self._topic, lambda message: self._events.put(("told", message)))
        looked = time.monotonic()
        self._watch.update(self._connection.workers(wait=True), looked)
        coming = iter(trials)
        while self._running or self._is_one_due(coming):
            raise_lost_interruption()
            if (now := time.monotonic()) - looked > SECONDS_BETWEEN_LOOKS:
                self._watch.update(self._connection.workers(), now)
                looked = now
                for trial in self._lost():
                    if self._attempts[trial.label] < MOST_ATTEMPTS:
                        self._waiting.appendleft(trial)
                    else:
                        yield trial, self._failed(trial, folder, f"its worker died, {MOST_ATTEMPTS} times")
                for running in self._overdue(now):
                    limit = self._assignment.limits.seconds
                    message = f"took longer than {limit:g} s, and its worker {running.worker} does not answer"
                    yield running.trial, self._failed(running.trial, folder, message, Status.TIMED_OUT)
                self._take_back(now)
            self._dispatch(coming)
            self._hear(SECONDS_BETWEEN_TICKS)
            self._drop_unwanted()
            for running in self._ended():
                if (outcome := self._outcome(running, folder)) is not None:
                    yield running.trial, outcome

    def close(self) -> None:
        """Lets the workers stop, and leaves the cluster."""
        self._connection.close(job.future for job in self._running.values())
        self._running.clear()

    def _is_one_due(self, coming: Iterator[PlannedTrial]) -> bool:
        """Whether a trial waits for a worker, taking the next one if there is none."""
        if not self._waiting and (trial := next(coming, None)) is not None:
            self._waiting.append(trial)
        return bool(self._waiting)

    def _dispatch(self, coming: Iterator[PlannedTrial]) -> None:
        workers = self._watch.usable()
        hosts = Counter(workers.values())
        busy = {job.worker for job in self._running.values()}
        free = [worker for worker in workers if worker not in busy]
        if not free or not self._is_one_due(coming):
            return
        # Those that run no trial of another run come first; behind such a trial, this one gets its turn.
        of_others = self._of_other_runs()
        for worker in sorted(free, key=lambda address: address in of_others):
            if not self._is_one_due(coming):
                return
            if not self._has_task(worker):
                continue
            trial, assignment = self._waiting.popleft(), self._assignment
            job = RemoteTrial(
                VERSION,
                trial,
                assignment.task,
                assignment.conditions,
                assignment.limits,
                hosts[workers[worker]],
                Path.cwd(),
            )
            if trial.label not in self._announced:
                self._announced.add(trial.label)
                self._notify(Event(EventKind.STARTED, trial=trial, worker=worker))
            self._attempts[trial.label] += 1
            future = self._connection.submit(worker, tasks.run_trial, job, self._topic)
            self._running[future.key] = _Running(trial, worker, future, time.monotonic())
            future.add_done_callback(lambda ended: self._events.put(("ended", ended.key)))

    def _has_task(self, worker: str) -> bool:
        """Whether the worker has the task; sends it if neither it nor another worker of its machine has it."""
        if worker in self._with_task:
            return True
        try:
            if not self._connection.send_task(
                worker, self._assignment.task.identity.digest, self._assignment.task_file
            ):
                return False
        except GoneError:
            return False
        except UnusableWorkerError as error:
            self._watch.leave_out(worker, error)
            return False
        self._with_task.add(worker)
        return True

    def _of_other_runs(self) -> set[str]:
        """Returns the workers that were given a trial of another run."""
        processing = self._connection.processing()
        return {
            worker
            for worker, keys in processing.items()
            if any(key.startswith(tasks.run_trial.__name__) and key not in self._running for key in keys)
        }

    def _hear(self, seconds: float) -> None:
        """Waits so long for news at most, and takes in all that there are."""
        with suppress(queue.Empty):
            kind, content = self._events.get(timeout=seconds)
            while True:
                if kind == "told":
                    self._tell(*content)
                else:
                    self._over.append(content)
                kind, content = self._events.get_nowait()
        self._notify(TICK)

    def _tell(self, key: str, event: str) -> None:
        if key in self._running:
            happened = event_from_json(event)
            if happened.kind is EventKind.PHASE:
                self._running[key].enter(happened.name, time.monotonic())
            about(self._running[key].trial, self._notify)(happened)

    def _drop_unwanted(self) -> None:
        for key, job in list(self._running.items()):
            if not self._is_wanted(job.trial):
                self._give_up(key)
        self._waiting = deque(trial for trial in self._waiting if self._is_wanted(trial))

    def _ended(self) -> Iterator[_Running]:
        """Yields the trials that have ended."""
        while self._over:
            if (running := self._running.pop(self._over.pop(0), None)) is not None:
                yield running

    def _outcome(self, running: _Running, folder: Path) -> TrialOutcome | None:
        """Returns what a trial gave; None if its worker cannot run trials, so that another one gets it."""
        try:
            result: RemoteResult = self._connection.answer(running.future, running.worker)
        except UnusableWorkerError as error:
            self._watch.leave_out(running.worker, error)
            self._return(running.trial)
            return None
        self._new_log(running.trial, folder).write_bytes(result.log)
        record = Record.model_validate(json.loads(result.record))
        return TrialOutcome(record, ranks_from_bytes(result.ranks, record.n_cases) if result.ranks else None)

    def _new_log(self, trial: PlannedTrial, folder: Path) -> Path:
        return logs.new_log(folder, trial.stem(self._assignment.task.identity, self._assignment.conditions))

    def _lost(self) -> list[PlannedTrial]:
        """Returns the trials whose workers have disappeared, or were stopped before they began: they run no more."""
        lost = {
            key: job
            for key, job in self._running.items()
            if not job.future.done()
            and (not self._watch.has(job.worker) or (not job.phase and self._watch.is_silent(job.worker)))
        }
        for key, job in lost.items():
            self._give_up(key)
            self._notify(Event(EventKind.LOST, trial=job.trial))
            state = "does not answer" if self._watch.has(job.worker) else "is gone"
            log.warning("Worker %s %s, and with it %s.", job.worker, state, job.trial.label)
        return [job.trial for job in lost.values()]

    def _overdue(self, now: float) -> list[_Running]:
        """Returns the trials that are beyond their limit and whose workers do not end them; they are given up."""
        limit = self._assignment.limits.seconds
        if limit is None:
            return []
        overdue = {
            key: job
            for key, job in self._running.items()
            if job.phase
            and not job.future.done()
            and now - job.since > limit + (0 if self._watch.is_silent(job.worker) else SECONDS_OF_GRACE)
        }
        for key in overdue:
            self._give_up(key)
        return list(overdue.values())

    def _take_back(self, now: float) -> None:
        """Takes back trials that wait behind those of other runs, if another worker is free for each."""
        queued = [key for key, job in self._running.items() if not job.phase and now - job.since > SECONDS_TO_BEGIN]
        free = self._watch.usable().keys() - {job.worker for job in self._running.values()}
        if not queued or not free:
            return
        of_others = self._of_other_runs()
        n_free = len(free - of_others)
        for key in [job for job in queued if self._running[job].worker in of_others][:n_free]:
            self._return(self._running[key].trial)
            self._give_up(key)

    def _return(self, trial: PlannedTrial) -> None:
        """Lets a trial that no worker has begun be the next; it was no attempt."""
        self._attempts[trial.label] -= 1
        self._waiting.appendleft(trial)

    def _give_up(self, key: str) -> None:
        self._running.pop(key).future.cancel(force=True)

    def _failed(self, trial: PlannedTrial, folder: Path, why: str, status: Status = Status.FAILED) -> TrialOutcome:
        self._new_log(trial, folder)
        assignment = self._assignment
        record = Record(
            **identity(assignment.task, trial.model, trial.seed, assignment.conditions),
            status=status,
            error=why,
            repeatable=None,
        )
        return TrialOutcome(record, None)
