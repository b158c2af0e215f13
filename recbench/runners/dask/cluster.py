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

from recbench.records.schema import Record, Status
from recbench.records.store import ranks_from_bytes
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Assignment
from recbench.runners.dask import tasks
from recbench.runners.dask.connection import DaskConnection, GoneError
from recbench.runners.dask.remote_trials import VERSION, RemoteResult, RemoteTrial
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


@dataclass(slots=True, eq=False)
class _Running:
    trial: PlannedTrial
    worker: str
    future: "Future"


class Cluster:
    """The ``Runner`` of a cluster.

    Args:
        assignment: What the trials are run on, and the address of the scheduler: ``tcp://host:8786``.
        notify: Receives the events.
        wanted: Whether a trial should continue.

    Raises:
        RecbenchError: Dask is not installed, or nobody answers at that address.
    """

    def __init__(self, assignment: Assignment, notify: Notify, wanted: IsWanted = always) -> None:
        assert assignment.address is not None
        self._assignment = assignment
        self._notify = notify
        self._wanted = wanted
        self._connection = DaskConnection(assignment.address, self._hear)
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._topic = f"recbench-{secrets.token_hex(8)}"
        self._waiting: deque[PlannedTrial] = deque()
        # By the keys of their Dask tasks, so that nothing is heard of an attempt that was given up.
        self._running: dict[str, _Running] = {}
        self._over: list[str] = []
        self._attempts: Counter[str] = Counter()
        self._with_task: set[str] = set()

    def configure(self, wanted: Sequence[RequestedModel]) -> list[PlannedModel]:
        """Imports every model on this machine, whose sources those of the workers are compared with.

        Raises:
            RecbenchError: A model cannot be imported, or refuses its parameters.
        """
        here = LocalProcesses(self._assignment, self._notify)
        try:
            return here.configure(wanted)
        finally:
            here.close()

    def run(self, trials: Iterable[PlannedTrial], folder: Path) -> Iterator[tuple[PlannedTrial, TrialOutcome]]:
        """Runs the trials, and yields what each gave; the order is that in which they end.

        Trials that are not wanted any more are ended.

        Raises:
            RecbenchError: The cluster is lost or has no workers, or a worker cannot run trials.
        """
        self._connection.listen(self._topic, lambda told: self._events.put(("told", told)))
        workers, looked = self._connection.workers(wait=True), time.monotonic()
        coming = iter(trials)
        while self._running or self._is_one_due(coming):
            if time.monotonic() - looked > SECONDS_BETWEEN_LOOKS:
                workers, looked = self._connection.workers(), time.monotonic()
                for trial in self._lost(workers):
                    if self._attempts[trial.label] < MOST_ATTEMPTS:
                        self._waiting.appendleft(trial)
                    else:
                        yield trial, self._gave_up(trial, folder)
            self._dispatch(coming, workers)
            self._hear(SECONDS_BETWEEN_TICKS)
            self._drop_unwanted()
            for running in self._ended():
                yield running.trial, self._outcome(running, folder)

    def close(self) -> None:
        """Lets the workers stop, and leaves the cluster."""
        self._connection.close(one.future for one in self._running.values())
        self._running.clear()

    def _is_one_due(self, coming: Iterator[PlannedTrial]) -> bool:
        """Whether a trial waits for a worker, taking the next one if there is none."""
        if not self._waiting and (trial := next(coming, None)) is not None:
            self._waiting.append(trial)
        return bool(self._waiting)

    def _dispatch(self, coming: Iterator[PlannedTrial], workers: dict[str, str]) -> None:
        hosts = Counter(workers.values())
        busy = {one.worker for one in self._running.values()}
        for worker in [one for one in workers if one not in busy]:
            if not self._is_one_due(coming):
                return
            if worker not in self._with_task:
                try:
                    self._connection.send_task(
                        worker, self._assignment.task.identity.digest, self._assignment.task_file
                    )
                except GoneError:
                    continue
                self._with_task.add(worker)
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
            if not self._attempts[trial.label]:
                self._notify(Event(EventKind.STARTED, trial=trial, worker=worker))
            self._attempts[trial.label] += 1
            future = self._connection.submit(worker, tasks.run_trial, job, self._topic)
            self._running[future.key] = _Running(trial, worker, future)
            future.add_done_callback(lambda ended: self._events.put(("ended", ended.key)))

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
            about(self._running[key].trial, self._notify)(event_from_json(event))

    def _drop_unwanted(self) -> None:
        for key, one in list(self._running.items()):
            if not self._wanted(one.trial):
                del self._running[key]
                one.future.cancel(force=True)
        self._waiting = deque(trial for trial in self._waiting if self._wanted(trial))

    def _ended(self) -> Iterator[_Running]:
        """Yields the trials that have ended."""
        while self._over:
            if (running := self._running.pop(self._over.pop(0), None)) is not None:
                yield running

    def _outcome(self, running: _Running, folder: Path) -> TrialOutcome:
        result: RemoteResult = self._connection.answer(running.future, running.worker)
        self._new_log(running.trial, folder).write_bytes(result.log)
        record = Record.model_validate(json.loads(result.record))
        return TrialOutcome(record, ranks_from_bytes(result.ranks) if result.ranks else None)

    def _new_log(self, trial: PlannedTrial, folder: Path) -> Path:
        return logs.new_log(folder, trial.stem(self._assignment.task.identity, self._assignment.conditions))

    def _lost(self, workers: dict[str, str]) -> list[PlannedTrial]:
        """Returns the trials whose workers have disappeared, which run no more."""
        running = self._running.items()
        lost = {key: one for key, one in running if one.worker not in workers and not one.future.done()}
        for key, one in lost.items():
            del self._running[key]
            one.future.cancel(force=True)
            self._notify(Event(EventKind.LOST, trial=one.trial))
            log.warning("Worker %s is gone, and with it %s.", one.worker, one.trial.label)
        return [one.trial for one in lost.values()]

    def _gave_up(self, trial: PlannedTrial, folder: Path) -> TrialOutcome:
        self._new_log(trial, folder)
        assignment = self._assignment
        record = Record(
            **identity(assignment.task, trial.model, trial.seed, assignment.conditions),
            status=Status.FAILED,
            error=f"its worker died, {MOST_ATTEMPTS} times",
            repeatable=None,
        )
        return TrialOutcome(record, None)
