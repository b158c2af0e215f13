"""One trial in a process of its own, watched from outside: whatever happens there, there is a record in the end."""

import time
import zipfile
from pathlib import Path

from recbench.operating_system import describe_ending
from recbench.records.finished_trial import TrialRanks
from recbench.records.schema import Record, Status
from recbench.records.store import ranks_from_bytes
from recbench.runners.base import Assignment
from recbench.runners.limits import MemoryWatch
from recbench.runners.processes.messages import Ended, Happened, Ready, Refused, Work
from recbench.runners.processes.worker_process import WorkerProcess
from recbench.trials import logs
from recbench.trials.conditions import TrialOutcome
from recbench.trials.events import Event, EventKind, Notify
from recbench.trials.identity import identity
from recbench.trials.planned import PlannedTrial

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_BETWEEN_CUTS = 1.0
SOURCE_CHANGED = "its source is not what it was when the run was planned"


class Supervision:
    """A running trial.

    Args:
        trial: Which.
        assignment: On what.
        log: Where its output goes.
        notify: Receives the trial's events.
        worker: A process that has been prepared for its model; one is started otherwise.
    """

    def __init__(
        self,
        trial: PlannedTrial,
        assignment: Assignment,
        log: Path,
        notify: Notify,
        worker: WorkerProcess | None = None,
    ) -> None:
        self.trial = trial
        self._assignment = assignment
        self._log = log
        self._notify = notify
        self.worker = worker or WorkerProcess(
            trial.model.requested, assignment.conditions, assignment.limits.seconds, assignment.folder
        )
        self._memory = MemoryWatch(self.worker.pid)
        self._phase, self._epochs, self._fit_seconds = "import", 0, 0.0
        self._since = self._looked = self._cut = time.monotonic()
        if self.worker.ready:
            self._begin()
        else:
            notify(Event(EventKind.PHASE, name="import"))

    def step(self) -> TrialOutcome | None:
        """Takes in what has happened since; returns what the trial gave, once it is over. Never waits for long."""
        # First, so that what a process said before it ended is heard before it is missed.
        over = self.worker.has_ended()
        try:
            for answer, following in self.worker.answers():
                if (outcome := self._take(answer, following)) is not None:
                    return outcome
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            return self._lost(Status.FAILED, f"what its process told cannot be read ({type(error).__name__}: {error})")
        if over:
            return self._died()
        return self._check_limits(time.monotonic())

    def end(self) -> None:
        """Ends the process, if it is not over."""
        self.worker.end()

    def _begin(self) -> None:
        self._since = time.monotonic()
        assignment = self._assignment
        self.worker.work(
            Work(
                task_file=assignment.task_file.resolve(),
                digest=assignment.task.identity.digest,
                seed=self.trial.seed,
                conditions=assignment.conditions,
                log=self._log.resolve(),
                seconds=assignment.limits.seconds,
            )
        )

    def _take(self, answer: object, following: bytes) -> TrialOutcome | None:
        match answer:
            case Ready():
                if answer.code_version != self.trial.model.code_version:
                    return self._lost(Status.FAILED, SOURCE_CHANGED)
                self._begin()
            case Happened():
                event = answer.event
                if event.kind is EventKind.PHASE:
                    self._phase = event.name
                elif event.kind is EventKind.EPOCH:
                    self._epochs, self._fit_seconds = event.epoch, event.seconds
                self._notify(event)
            case Refused():
                return self._lost(Status.FAILED, answer.message)
            case Ended():
                ranks = ranks_from_bytes(following) if answer.size else None
                return self._over(answer.record, ranks)
        return None

    def _over(self, record: Record, ranks: TrialRanks | None) -> TrialOutcome:
        self.worker.end()
        logs.cut(self._log)
        told = {"start_seconds": self.worker.start_seconds, "concurrent_trials": self._assignment.concurrent}
        return TrialOutcome(record.model_copy(update=told), ranks)

    def _died(self) -> TrialOutcome:
        how, name = describe_ending(self.worker.end())
        if name is None:
            return self._lost(Status.FAILED, f"its process ended with {how} before the trial was over")
        hint = " (as the system does when memory runs out)" if name == "SIGKILL" else ""
        return self._lost(Status.FAILED, f"its process was ended by {name}{hint}", signal_name=name)

    def _check_limits(self, now: float) -> TrialOutcome | None:
        limits = self._assignment.limits
        if now - self._cut > SECONDS_BETWEEN_CUTS:
            self._cut = now
            logs.cut(self._log)
        if limits.seconds is not None and now - self._since > limits.seconds:
            self.worker.say_where()
            return self._lost(Status.TIMED_OUT, f"took longer than {limits.seconds:g} s")
        if limits.memory_bytes is not None and now - self._looked > SECONDS_BETWEEN_LOOKS:
            self._looked = now
            if (used := self._memory.look()) > limits.memory_bytes:
                told = f"used {used / 2**20:,.0f} MiB of memory; the limit is {limits.memory_bytes / 2**20:,.0f} MiB"
                return self._lost(Status.OUT_OF_MEMORY, told)
        return None

    def _lost(self, status: Status, what: str, signal_name: str | None = None) -> TrialOutcome:
        """Makes the record of a trial whose process cannot make one."""
        # Early, for the tail of the log and the memory are what they were.
        self.worker.end()
        where = f"in {self._phase}" + (f", after epoch {self._epochs}" if self._epochs else "")
        assignment = self._assignment
        fields = identity(assignment.task, self.trial.model, self.trial.seed, assignment.conditions)
        if self.worker.ready is not None:
            fields["environment"] = fields["environment"].model_copy(update={"packages": self.worker.ready.packages})
        record = Record(
            **fields,
            status=status,
            error=f"{what}; {where}",
            signal=signal_name,
            output_tail=logs.tail(self._log),
            epochs=self._epochs,
            fit_seconds=self._fit_seconds or None,
            start_seconds=self.worker.start_seconds or None,
            process_peak_rss_bytes=self._memory.peak_bytes or None,
            concurrent_trials=assignment.concurrent,
            repeatable=None,
        )
        logs.cut(self._log)
        return TrialOutcome(record, None)
