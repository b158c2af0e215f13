"""Imports the models of the next trials while that of the current trial is imported, and never while it is fitted.

An import runs on one core, so as many run at a time as there are cores. The current trial begins its fit when all of
them have ended: nothing else of the run uses the machine during a measured fit.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from recbench.operating_system.processor import available_cores
from recbench.registry.requested import RequestedModel
from recbench.runners.processes.messages import MessageError, Ready
from recbench.runners.processes.worker_process import WorkerProcess

MOST_AHEAD: Final = 3
"""More processes than that would hold much memory while they wait."""


class ImportsAhead:
    """The processes that import models of later trials.

    Args:
        start: Starts the process of a model.
        seconds: How long an import may take; None for no limit.

    Attributes:
        importing: The processes whose imports have not ended.
    """

    def __init__(self, start: Callable[[RequestedModel], WorkerProcess], seconds: float | None) -> None:
        self._start = start
        self._seconds = seconds
        self._began = 0.0
        self.importing: list[WorkerProcess] = []

    def begin(self, coming: Sequence[RequestedModel], waiting: Sequence[WorkerProcess]) -> None:
        """Starts the imports of the next models, beside that of the current trial.

        Args:
            coming: The models of the next trials, in their order.
            waiting: The processes that have imported a model and wait for its trial.
        """
        cores = available_cores()
        most = min(cores - 1, MOST_AHEAD, cores - len(waiting))
        imported = [worker.requested for worker in waiting]
        self._began = time.monotonic()
        for requested in coming:
            if len(self.importing) >= most:
                return
            if requested in imported:
                imported.remove(requested)
            else:
                self.importing.append(self._start(requested))

    def step(self) -> list[WorkerProcess]:
        """Takes in what has happened since, and returns the processes whose models have been imported.

        A process that does not come so far is ended. Its trial begins with another import, which has a record.
        """
        ready = []
        for worker in list(self.importing):
            is_ready = _is_ready(worker)
            if is_ready is None and self._seconds is not None and time.monotonic() - self._began > self._seconds:
                is_ready = False
            if is_ready is None and worker.beyond_memory() is None:
                continue
            self.importing.remove(worker)
            if is_ready:
                ready.append(worker)
            else:
                worker.end()
        return ready

    def close(self) -> None:
        """Ends all of them."""
        for worker in self.importing:
            worker.end()
        self.importing = []


def _is_ready(worker: WorkerProcess) -> bool | None:
    """Returns whether the model has been imported; None if that is not known yet."""
    over = worker.has_ended()
    try:
        answers = [answer for answer, _ in worker.answers()]
    except MessageError:
        return False
    if answers:
        return all(isinstance(answer, Ready) for answer in answers)
    return False if over or worker.answers_pipe.ended else None
