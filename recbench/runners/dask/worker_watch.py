"""Which workers of a cluster can be given a trial: those that answer and that have not refused one."""

import logging
from collections.abc import Mapping
from typing import Final

from recbench.errors import RecbenchError
from recbench.runners.dask.connection import Worker
from recbench.runners.dask.remote_trials import UnusableWorkerError

log = logging.getLogger(__name__)

SECONDS_UNTIL_SILENT: Final = 15.0
"""A worker sends a sign of life to the scheduler at least every few seconds, also while it runs a trial."""
SECONDS_UNTIL_TOLD: Final = 5.0
"""After so long without a worker, the run says that it waits."""


class WorkerWatch:
    """The workers of a cluster, as one run sees them.

    Args:
        address: Of the scheduler, for messages.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._workers: dict[str, Worker] = {}
        # When this run noticed each sign of life, by its own clock: that of the scheduler may be another one.
        self._noticed: dict[str, float] = {}
        self._refusals: dict[str, UnusableWorkerError] = {}
        self._now = 0.0
        self._none_since: float | None = None
        self._has_warned = False

    def update(self, workers: Mapping[str, Worker], now: float) -> None:
        """Takes in what the scheduler knows, and says so if no worker is left or if one has come again.

        Args:
            workers: The workers by address.
            now: Seconds of a clock that never goes back.

        Raises:
            RecbenchError: Every worker has refused trials.
        """
        for address, worker in workers.items():
            before = self._workers.get(address)
            if before is None or before.last_seen != worker.last_seen:
                self._noticed[address] = now
        self._workers, self._now = dict(workers), now
        self._check_refusals()
        self._tell_of_none(now)

    def usable(self) -> dict[str, str]:
        """Returns the hosts of the workers that can be given a trial, by address."""
        return {
            address: worker.host
            for address, worker in self._workers.items()
            if address not in self._refusals and not self.is_silent(address)
        }

    def has(self, address: str) -> bool:
        """Whether the scheduler knows the worker."""
        return address in self._workers

    def is_silent(self, address: str) -> bool:
        """Whether the scheduler knows the worker but does not hear of it: it was stopped, or its network is cut."""
        return address in self._workers and self._now - self._noticed[address] > SECONDS_UNTIL_SILENT

    def leave_out(self, address: str, refusal: UnusableWorkerError) -> None:
        """Gives a worker no further trial.

        Args:
            address: The worker.
            refusal: Why.

        Raises:
            RecbenchError: Every worker has refused trials.
        """
        self._refusals[address] = refusal
        log.warning("Worker %s cannot run trials and is left out: %s", address, refusal.message)
        self._check_refusals()

    def _check_refusals(self) -> None:
        refusals = [self._refusals[address] for address in self._workers if address in self._refusals]
        if refusals and len(refusals) == len(self._workers):
            reasons = "\n  ".join(f"{address}: {self._refusals[address].message}" for address in self._workers)
            raise RecbenchError(f"No worker of the cluster can run trials:\n  {reasons}", refusals[0].hint)

    def _tell_of_none(self, now: float) -> None:
        usable = self.usable()
        if usable:
            if self._has_warned:
                log.info("Worker %s answers; the run continues.", next(iter(usable)))
            self._none_since, self._has_warned = None, False
            return
        self._none_since = now if self._none_since is None else self._none_since
        if not self._has_warned and now - self._none_since >= SECONDS_UNTIL_TOLD:
            self._has_warned = True
            state = "no longer has workers" if not self._workers else "has no worker that answers"
            log.warning(
                "The cluster at %s %s. The run waits for one; start one: dask worker %s --nthreads 1",
                self._address, state, self._address,
            )  # fmt: skip
