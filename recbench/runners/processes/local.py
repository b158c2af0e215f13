"""Trials on this machine, each in a process of its own, one or several at a time."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from recbench.errors import RecbenchError, shortened
from recbench.operating_system.endings import describe_ending
from recbench.operating_system.pipes import wait_for_pipes
from recbench.operating_system.processor import available_cores
from recbench.records.interruption import raise_lost_interruption
from recbench.registry.requested import RequestedModel
from recbench.runners.base import Assignment
from recbench.runners.processes.imports_ahead import ImportsAhead
from recbench.runners.processes.messages import PIPE_CLOSED, MessageError, Ready, Refused
from recbench.runners.processes.supervision import HAS_CLOSED_PIPE, SECONDS_AFTER_PIPE, Supervision
from recbench.runners.processes.worker_process import SECONDS_BETWEEN_LOOKS, WorkerProcess
from recbench.trials import logs
from recbench.trials.conditions import TrialOutcome
from recbench.trials.events import TICK, Event, EventKind, IsWanted, Notify, about, always
from recbench.trials.planned import PlannedModel, PlannedTrial


class LocalProcesses:
    """The ``Runner`` of a single machine.

    Args:
        assignment: What the trials are run on.
        notify: Receives the events.
        wanted: Whether a trial should continue.
    """

    def __init__(self, assignment: Assignment, notify: Notify, is_wanted: IsWanted = always) -> None:
        self._assignment = assignment
        self._notify = notify
        self._is_wanted = is_wanted
        self._prepared: list[WorkerProcess] = []
        self._ahead = ImportsAhead(self._prepare, assignment.limits.seconds)
        self._running: list[Supervision] = []

    def configure(self, models: Sequence[RequestedModel]) -> list[PlannedModel]:
        """Imports every model in a process of its own, as many at a time as there are cores.

        The first of these processes wait, and run their models' first trials.

        Raises:
            RecbenchError: A model cannot be imported, or rejects its parameters.
        """
        most = available_cores()
        waiting, importing = deque(models), deque[WorkerProcess]()
        planned = []
        while waiting or importing:
            while waiting and len(importing) < most:
                self._notify(Event(EventKind.IMPORTING, name=waiting[0].title))
                importing.append(self._prepare(waiting.popleft()))
                # Known from now on, so that ``close`` ends it.
                self._prepared.append(importing[-1])
            worker = importing.popleft()
            planned.append(self._await_ready(worker))
            if len(self._prepared) - len(importing) > most:
                self._prepared.remove(worker)
                worker.end()
        return planned

    def run(self, trials: Iterable[PlannedTrial], folder: Path) -> Iterator[tuple[PlannedTrial, TrialOutcome]]:
        """Runs the trials, and yields what each gave; the order is that in which they end.

        Trials that are not wanted any more are ended.

        If the trials are known beforehand and run one after the other, the models of the next ones are imported beside
        that of a trial; see ``ImportsAhead``.

        Raises:
            RecbenchError: A log cannot be written.
        """
        coming = iter(trials)
        known = deque(trials if isinstance(trials, Sequence) and self._assignment.concurrent == 1 else ())
        while True:
            while len(self._running) < self._assignment.concurrent and (trial := next(coming, None)) is not None:
                if known:
                    known.popleft()
                self._running.append(self._start(trial, folder, [measure.model.requested for measure in known]))
            if not self._running:
                return
            wait_for([*(job.worker for job in self._running), *self._ahead.importing])
            self._prepared += self._ahead.step()
            self._end_large()
            for job in list(self._running):
                outcome = job.step()
                if not self._is_wanted(job.trial):
                    self._running.remove(job)
                    job.end()
                elif outcome is not None:
                    if outcome.is_final:
                        self._running.remove(job)
                    yield job.trial, outcome
            self._notify(TICK)

    def close(self) -> None:
        """Ends all processes at once."""
        for job in self._running:
            job.end()
        for worker in self._prepared:
            worker.end()
        self._ahead.close()
        self._running, self._prepared = [], []

    def _prepare(self, requested: RequestedModel) -> WorkerProcess:
        return WorkerProcess(requested, self._assignment)

    def _end_large(self) -> None:
        """Ends waiting processes that use too much memory; their trials begin with a new import, which has a record."""
        for worker in list(self._prepared):
            if worker.beyond_memory() is not None:
                self._prepared.remove(worker)
                worker.end()

    def _start(self, trial: PlannedTrial, folder: Path, coming: Sequence[RequestedModel]) -> Supervision:
        log = logs.new_log(folder, trial.stem(self._assignment.task.identity, self._assignment.conditions))
        self._notify(Event(EventKind.STARTED, trial=trial))
        ready = next((worker for worker in self._prepared if worker.requested == trial.model.requested), None)
        if ready is not None:
            self._prepared.remove(ready)
            if ready.ready is not None and ready.ready.code_version != trial.model.code_version:
                # The source was changed between the plan and this import. A new import fails, and says so.
                ready.end()
                ready = None
        if ready is None:
            self._ahead.begin(coming, self._prepared)
        return Supervision(trial, self._assignment, log, about(trial, self._notify), self._imports, ready)

    def _imports(self) -> int:
        """Returns how many processes import a model now."""
        return len(self._ahead.importing) + sum(job.worker.ready is None for job in self._running)

    def _await_ready(self, worker: WorkerProcess) -> PlannedModel:
        limit = self._assignment.limits.seconds
        began = time.monotonic()
        pipe_ended: float | None = None
        while True:
            over = worker.has_ended()
            try:
                for answer, _ in worker.answers():
                    if isinstance(answer, Refused):
                        raise RecbenchError(shortened(answer.message), answer.hint)
                    if isinstance(answer, Ready):
                        return PlannedModel(
                            worker.requested,
                            answer.parameters,
                            answer.code_version,
                            answer.sources,
                            answer.search_path,
                            answer.integers,
                        )
            except MessageError as error:
                raise _wrote_nonsense(worker, error) from None
            if worker.answers_pipe.ended:
                pipe_ended = pipe_ended or time.monotonic()
            # A model can stop the guardian, which then does not end with the model's process.
            if over or (pipe_ended is not None and time.monotonic() - pipe_ended > SECONDS_AFTER_PIPE):
                raise _died_importing(worker)
            if limit is not None and time.monotonic() - began > limit:
                raise RecbenchError(
                    f"Importing {worker.requested.reference.name!r} takes longer than {limit:g} s.",
                    "Use a longer --timeout.",
                )
            for prepared in self._prepared:
                if (excess := prepared.beyond_memory()) is not None:
                    raise RecbenchError(
                        f"Importing {prepared.requested.reference.name!r} {excess}.", "Use a larger --max-memory."
                    )
            wait_for([worker])
            self._notify(TICK)


def _died_importing(worker: WorkerProcess) -> RecbenchError:
    code = worker.end()
    how = HAS_CLOSED_PIPE if code == PIPE_CLOSED else describe_ending(code)[0]
    return RecbenchError(
        f"The process that imports the model {worker.requested.reference.name!r} died ({how}).", _printed_last(worker)
    )


def _wrote_nonsense(worker: WorkerProcess, error: MessageError) -> RecbenchError:
    worker.end()
    name = worker.requested.reference.name
    return RecbenchError(
        f"What the import of model {name!r} wrote to recbench's pipe is not a message: {error}.",
        f"A model must only write to files that it opened itself. {_printed_last(worker)}",
    )


def _printed_last(worker: WorkerProcess) -> str:
    tail = "\n".join(worker.output_tail())
    return f"It printed last:\n{tail}" if tail else "It printed nothing."


def wait_for(workers: Sequence[WorkerProcess]) -> None:
    """Waits until one of them has something to say, or it is time to look at all of them."""
    raise_lost_interruption()
    wait_for_pipes([worker.answers_pipe for worker in workers], SECONDS_BETWEEN_LOOKS)
