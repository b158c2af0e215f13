"""The connection to a Dask cluster: which workers it has, what they are asked, and the task that they are sent."""

import logging
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.errors import RecbenchError
from recbench.requirements import install_command
from recbench.runners.dask import tasks
from recbench.runners.dask.remote_trials import Delivery, UnusableWorkerError
from recbench.runners.dask.scheduler_check import SECONDS_TO_CONNECT, check_scheduler, no_scheduler

if TYPE_CHECKING:
    from distributed import Client, Future

SECONDS_TO_WAIT_FOR_WORKERS = 10
SECONDS_BETWEEN_QUESTIONS = 0.05
PART_BYTES = 32 * 2**20


class GoneError(Exception):
    """A worker has disappeared."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker, as the scheduler knows it.

    Attributes:
        host: Its machine.
        last_seen: When the scheduler heard of it last, by the scheduler's clock.
    """

    host: str
    last_seen: float


def _lost_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Returns what Dask raises when the scheduler is gone, and others."""
    from distributed import CancelledError

    return (CancelledError, OSError, TimeoutError, *others)


class DaskConnection:
    """The connection of one run.

    Args:
        address: Of the cluster's scheduler: ``tcp://host:8786``.
        meanwhile: Is called while a worker's answer is waited for, and spends so many seconds.

    Raises:
        RecbenchError: Dask is not installed, or nobody answers at that address.
    """

    def __init__(self, address: str, meanwhile: Callable[[float], None]) -> None:
        self._address = address
        self._meanwhile = meanwhile
        self._client = _connect(address)

    def listen(self, topic: str, heard: Callable[[Any], None]) -> None:
        """Lets each event of a topic be heard, in another thread."""
        self._client.subscribe_topic(topic, lambda event: heard(event[1]))

    def workers(self, *, wait: bool = False) -> dict[str, Worker]:
        """Returns the workers by their addresses.

        Args:
            wait: Whether to wait for the first one.

        Raises:
            RecbenchError: The cluster is lost, or none has come.
        """
        try:
            if wait:
                self._client.wait_for_workers(1, timeout=SECONDS_TO_WAIT_FOR_WORKERS)
            # Of all of them: some versions of Dask tell of five only, unless they are asked.
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
        except TimeoutError as error:
            if self._client.status != "running":
                raise self._lost() from error
            raise RecbenchError(
                f"The cluster at {self._address} has no workers.",
                f"Start one: dask worker {self._address} --nthreads 1",
            ) from error
        except _lost_errors(RuntimeError) as error:  # of a closed client
            raise self._lost() from error
        if self._client.status != "running":
            raise self._lost()
        return {str(worker): Worker(str(facts["host"]), float(facts["last_seen"])) for worker, facts in workers.items()}

    def processing(self) -> dict[str, list[str]]:
        """Returns the keys of the tasks that each worker has been given, by any client, by its address.

        Raises:
            RecbenchError: The cluster is lost.
        """
        try:
            return {str(worker): [str(key) for key in keys] for worker, keys in self._client.processing().items()}
        except _lost_errors(RuntimeError) as error:  # of a closed client
            raise self._lost() from error

    def send_task(self, worker: str, digest: str, file: Path) -> bool:
        """Sends a task to a worker, unless its machine has it.

        Returns:
            Whether the worker has it now; False while another run sends it to the same machine.

        Raises:
            GoneError: The worker has disappeared.
            UnusableWorkerError: The system of the worker does not let it keep the task.
            RecbenchError: It cannot take the task, or the cluster is lost.
        """
        name = secrets.token_hex(8)
        delivery = self._ask(worker, tasks.claim_task, digest, name)
        if delivery != Delivery.NEEDED:
            return bool(delivery == Delivery.HERE)
        with file.open("rb") as content:
            while part := content.read(PART_BYTES):
                offset = content.tell() - len(part)
                (sent,) = self._client.scatter([part], workers=[worker], hash=False)
                self._ask(worker, tasks.receive_part, digest, name, sent, offset)
        self._ask(worker, tasks.install_task, digest, name)
        return True

    def submit(self, worker: str, function: Callable[..., Any], *arguments: Any) -> "Future":
        """Lets this worker and no other do something."""
        return self._client.submit(
            function, *arguments, workers=[worker], allow_other_workers=False, pure=False, retries=0
        )

    def answer(self, future: "Future", worker: str) -> Any:
        """Returns what came of it.

        Raises:
            UnusableWorkerError: The system of this worker does not let it run trials; another worker may.
            RecbenchError: The worker cannot do it, or the cluster is lost.
        """
        try:
            return future.result()
        except UnusableWorkerError:
            raise
        except RecbenchError as error:
            raise RecbenchError(f"Worker {worker}: {error.message}", error.hint) from error
        except _lost_errors() as error:
            # The worker's own errors of this kind arrive as ``UnusableWorkerError``.
            raise self._lost() from error
        # Of any class: whatever the worker's Python raises, such as for a package that it does not have.
        except Exception as error:
            raise RecbenchError(
                f"Worker {worker} cannot run trials ({type(error).__name__}: {error}).",
                "Install the same recbench, and the packages of the models, on all machines.",
            ) from error

    def close(self, unfinished: Iterable["Future"]) -> None:
        """Lets the workers stop what they do, and leaves the cluster."""
        # Of any class: a cluster that is lost raises many, and nothing is left to do for it.
        with suppress(Exception):
            self._client.cancel(list(unfinished), force=True)
        with suppress(Exception):
            self._client.close(timeout=2)

    def _ask(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Any:
        future = self.submit(worker, function, *arguments)
        while not future.done():
            self._meanwhile(SECONDS_BETWEEN_QUESTIONS)
            if not future.done() and worker not in self.workers():
                future.cancel(force=True)
                raise GoneError
        return self.answer(future, worker)

    def _lost(self) -> RecbenchError:
        return RecbenchError(
            f"The connection to the cluster at {self._address} is lost.",
            "Finished trials are kept. When the cluster can be reached again, run the same command to resume.",
        )


def _connect(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError as error:
        raise RecbenchError(
            f"--cluster needs Dask, which cannot be imported ({error}).",
            f"Install it: {install_command(['dask', 'distributed'])}",
        ) from error
    for noisy in ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio"):
        # What matters of it becomes an error of our own.
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
    # First, for a client that cannot connect waits long when it is closed, and prints Dask's tracebacks.
    check_scheduler(address)
    try:
        return Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise no_scheduler(address, str(error)) from error
