"""Trials on the workers of a Dask cluster, one a worker at a time.

Which trial goes where is decided here and not by Dask's scheduler: it may give a worker several tasks at once, and so
have trials share a machine. A worker that disappears loses its trial to another one.
"""

import logging
import queue
import secrets
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.errors import RecbenchError
from recbench.records.schema import Record, Status
from recbench.records.store import ranks_from_bytes
from recbench.trials import dask_tasks, logs
from recbench.trials.conditions import Outcome
from recbench.trials.identity import identity
from recbench.trials.local import LocalProcesses
from recbench.trials.plan import PlannedModel, PlannedTrial, WantedModel
from recbench.trials.remote import VERSION, RemoteResult, RemoteTrial
from recbench.trials.run_observer import RunObserver
from recbench.trials.supervision import Assignment

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
"""How often a trial is begun whose workers die."""

SECONDS_TO_CONNECT = 5
SECONDS_TO_WAIT_FOR_WORKERS = 10
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_QUESTIONS = 0.05
PART_BYTES = 32 * 2**20


@dataclass(slots=True, eq=False)
class _Running:
    trial: PlannedTrial
    worker: str
    future: "Future"


class _GoneError(Exception):
    """A worker has disappeared."""


class Cluster:
    """The ``Runner`` of a cluster.

    Args:
        address: Of its scheduler: ``tcp://host:8786``.
        assignment: What the trials are run on.
        observer: Is told how they go.

    Raises:
        RecbenchError: Dask is not installed, or nobody answers at that address.
    """

    def __init__(self, address: str, assignment: Assignment, observer: RunObserver) -> None:
        self._assignment = assignment
        self._observer = observer
        self._address = address
        self._client = _connect(address)
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._topic = f"recbench-{secrets.token_hex(8)}"
        self._running: dict[str, _Running] = {}
        self._attempts: Counter[str] = Counter()
        self._with_task: set[str] = set()

    def configure(self, wanted: Sequence[WantedModel]) -> list[PlannedModel]:
        """Imports every model on this machine, whose sources those of the workers are compared with.

        Raises:
            RecbenchError: A model cannot be imported, or refuses its parameters.
        """
        here = LocalProcesses(self._assignment, self._observer)
        try:
            return here.configure(wanted)
        finally:
            here.close()

    def run(self, trials: Sequence[PlannedTrial], folder: Path) -> Iterator[tuple[PlannedTrial, Outcome]]:
        """Runs the trials, and yields what each gave; the order is that in which they end.

        Raises:
            RecbenchError: The cluster is lost or has no workers, or a worker cannot run trials.
        """
        self._client.subscribe_topic(self._topic, lambda event: self._events.put(("told", event[1])))
        workers, looked = self._workers(wait=True), time.monotonic()
        waiting = deque(trials)
        while waiting or self._running:
            if time.monotonic() - looked > SECONDS_BETWEEN_LOOKS:
                workers, looked = self._workers(), time.monotonic()
                for trial in self._lost(workers):
                    if self._attempts[trial.label] < MOST_ATTEMPTS:
                        waiting.appendleft(trial)
                    else:
                        yield trial, self._gave_up(trial, folder)
            self._dispatch(waiting, workers)
            for running in self._ended():
                yield running.trial, self._outcome(running, folder)
            self._observer.tick()

    def close(self) -> None:
        """Lets the workers stop, and leaves the cluster."""
        with suppress(Exception):
            self._client.cancel([one.future for one in self._running.values()], force=True)
        with suppress(Exception):
            self._client.close(timeout=2)
        self._running.clear()

    def _dispatch(self, waiting: deque[PlannedTrial], workers: dict[str, str]) -> None:
        hosts = Counter(workers.values())
        busy = {one.worker for one in self._running.values()}
        for worker in [one for one in workers if one not in busy]:
            if not waiting:
                return
            if worker not in self._with_task:
                try:
                    self._ship(worker)
                except _GoneError:
                    continue
                self._with_task.add(worker)
            trial, assignment = waiting.popleft(), self._assignment
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
                self._observer.trial_starts(trial, worker)
            self._attempts[trial.label] += 1
            future = self._submit(worker, dask_tasks.run_trial, job, self._topic)
            self._running[trial.label] = _Running(trial, worker, future)
            future.add_done_callback(lambda _, label=trial.label: self._events.put(("ended", label)))

    def _ended(self) -> Iterator[_Running]:
        """Waits a little for news; yields the trials that have ended."""
        with suppress(queue.Empty):
            kind, content = self._events.get(timeout=SECONDS_BETWEEN_LOOKS)
            while True:
                if kind == "told":
                    self._tell(*content)
                elif content in self._running and self._running[content].future.done():
                    yield self._running.pop(content)
                kind, content = self._events.get_nowait()

    def _tell(self, label: str, method: str, arguments: Sequence[Any]) -> None:
        if label in self._running:
            getattr(self._observer, method)(self._running[label].trial, *arguments)

    def _outcome(self, running: _Running, folder: Path) -> Outcome:
        result: RemoteResult = self._answer(running.future, running.worker)
        self._new_log(running.trial, folder).write_bytes(result.log)
        record = Record.model_validate_json(result.record)
        return Outcome(record, ranks_from_bytes(result.ranks) if result.ranks else None)

    def _new_log(self, trial: PlannedTrial, folder: Path) -> Path:
        return logs.new_log(folder, trial.stem(self._assignment.task.identity, self._assignment.conditions))

    def _ship(self, worker: str) -> None:
        """Sends the task to a worker that does not have it."""
        digest = self._assignment.task.identity.digest
        if self._ask(worker, dask_tasks.has_task, digest):
            return
        name = secrets.token_hex(8)
        with self._assignment.task_file.open("rb") as file:
            while part := file.read(PART_BYTES):
                offset = file.tell() - len(part)
                (sent,) = self._client.scatter([part], workers=[worker], hash=False)
                self._ask(worker, dask_tasks.receive, digest, name, sent, offset)
        self._ask(worker, dask_tasks.accept, digest, name)

    def _ask(self, worker: str, function: Any, *arguments: Any) -> Any:
        future = self._submit(worker, function, *arguments)
        while not future.done():
            time.sleep(SECONDS_BETWEEN_QUESTIONS)
            if not future.done() and worker not in self._workers():
                future.cancel(force=True)
                raise _GoneError
        return self._answer(future, worker)

    def _submit(self, worker: str, function: Any, *arguments: Any) -> "Future":
        return self._client.submit(
            function, *arguments, workers=[worker], allow_other_workers=False, pure=False, retries=0
        )

    def _answer(self, future: "Future", worker: str) -> Any:
        from distributed import CancelledError

        try:
            return future.result()
        except RecbenchError as error:
            raise RecbenchError(f"Worker {worker}: {error.message}", error.hint) from error
        except (CancelledError, OSError, TimeoutError) as error:
            raise self._lost_cluster() from error
        except Exception as error:
            raise RecbenchError(
                f"Worker {worker} cannot run trials ({type(error).__name__}: {error}).",
                "Install the same recbench, and the packages of the models, on all machines.",
            ) from error

    def _workers(self, *, wait: bool = False) -> dict[str, str]:
        """Returns the host of each worker."""
        try:
            if wait:
                self._client.wait_for_workers(1, timeout=SECONDS_TO_WAIT_FOR_WORKERS)
            found = self._client.scheduler_info()["workers"]
        except TimeoutError as error:
            if self._client.status != "running":
                raise self._lost_cluster() from error
            raise RecbenchError(
                f"The cluster at {self._address} has no workers.",
                f"Start one: dask worker {self._address} --nthreads 1",
            ) from error
        except Exception as error:
            raise self._lost_cluster() from error
        return {str(worker): str(info["host"]) for worker, info in found.items()}

    def _lost(self, workers: dict[str, str]) -> list[PlannedTrial]:
        """Returns the trials whose workers have disappeared, which run no more."""
        lost = [one for one in self._running.values() if one.worker not in workers and not one.future.done()]
        for one in lost:
            del self._running[one.trial.label]
            one.future.cancel(force=True)
            log.warning("Worker %s is gone, and with it %s.", one.worker, one.trial.label)
        return [one.trial for one in lost]

    def _gave_up(self, trial: PlannedTrial, folder: Path) -> Outcome:
        self._new_log(trial, folder)
        assignment = self._assignment
        record = Record(
            **identity(assignment.task, trial.model, trial.seed, assignment.conditions),
            status=Status.FAILED,
            error=f"its worker died, {MOST_ATTEMPTS} times",
            repeatable=None,
        )
        return Outcome(record, None)

    def _lost_cluster(self) -> RecbenchError:
        return RecbenchError(
            f"The connection to the cluster at {self._address} is lost.",
            "Trials that have ended are kept; the same command goes on when the cluster can be reached again.",
        )


def _connect(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError as error:
        raise RecbenchError(
            f"--cluster needs Dask, which cannot be imported ({error}).", "Install it: pip install -e '.[cluster]'"
        ) from error
    for noisy in ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio"):
        # What matters of it becomes an error of our own.
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
    try:
        return Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise RecbenchError(
            f"There is no Dask scheduler at {address} ({type(error).__name__}: {error}).",
            "Start one with 'dask scheduler', and give the address that it prints: --cluster tcp://HOST:8786",
        ) from error
