"""One trial in a process of its own, watched from outside: whatever happens there, there is a record in the end."""

import time
from collections.abc import Callable
from pathlib import Path

from recbench.errors import shortened
from recbench.operating_system.endings import describe_ending
from recbench.records.finished_trial import TrialRanks
from recbench.records.ranks_file import ranks_from_bytes
from recbench.records.schema import Record, Status
from recbench.runners.base import Assignment
from recbench.runners.processes.messages import PIPE_CLOSED, Ended, Happened, MessageError, Ready, Refused, Work
from recbench.runners.processes.worker_process import WorkerProcess
from recbench.trials.conditions import TrialOutcome
from recbench.trials.events import Event, EventKind, Notify
from recbench.trials.identity import identity
from recbench.trials.planned import PlannedTrial

SECONDS_AFTER_PIPE = 5.0
"""How long a process may live on whose pipe has ended."""
HAS_CLOSED_PIPE = "its process closed the pipe to recbench"
IDENTITY = (
    *("task", "protocol_version", "model", "label", "reference", "parameters", "seed", "threads", "device"),
    *("n_cases", "n_users", "n_train", "n_items"),
)
"""The fields of a record that are known before the trial runs, and the same wherever it runs."""
SOURCE_CHANGED = "its source changed after the run was planned"


class Supervision:
    """A running trial.

    Args:
        trial: Which.
        assignment: On what.
        log: Where its output goes.
        notify: Receives the trial's events.
        imports: Returns how many processes of the run import a model at the moment; None if nobody knows.
        worker: A process that has been prepared for its model; one is started otherwise.
    """

    def __init__(
        self,
        trial: PlannedTrial,
        assignment: Assignment,
        log: Path,
        notify: Notify,
        imports: Callable[[], int] | None = None,
        worker: WorkerProcess | None = None,
    ) -> None:
        self.trial = trial
        self._assignment = assignment
        self._notify = notify
        self._imports = imports
        self._imports_during_fit = None if imports is None else 0
        self._has_begun = False
        self.worker = worker or WorkerProcess(trial.model.requested, assignment)
        self.worker.log_to(log)
        self._phase, self._epochs, self._fit_seconds = "import", 0, 0.0
        self._since = time.monotonic()
        self._pipe_ended: float | None = None
        self._ranked: TrialOutcome | None = None
        self._is_told = False
        if self.worker.ready:
            self._mind_imports()
        else:
            notify(Event(EventKind.PHASE, name="import"))

    def step(self) -> TrialOutcome | None:
        """Takes in what has happened since. Never waits for long.

        Returns:
            What the trial gave, once it is over, and before its full ranking or the measurement of the model in use;
            None otherwise.
        """
        # First, so that what a process said before it ended is heard before it is missed.
        over = self.worker.has_ended()
        try:
            for answer, following in self.worker.answers():
                if (outcome := self._take(answer, following)) is not None:
                    return outcome
        except MessageError as error:
            return self._lost(Status.FAILED, f"what its process wrote to recbench's pipe is not a message: {error}")
        if over:
            return self._died()
        self._mind_imports()
        if self._ranked is not None and not self._is_told:
            self._is_told = True
            return self._ranked
        return self._check_limits(time.monotonic())

    def end(self) -> None:
        """Ends the process, if it is not over."""
        self.worker.end()

    def _mind_imports(self) -> None:
        """Begins the work when the model has been imported, and with one trial at a time those of the next trials."""
        importing = 0 if self._imports is None else self._imports()
        if self._phase == "fit" and self._imports_during_fit is not None:
            self._imports_during_fit = max(self._imports_during_fit, importing)
        if self.worker.ready and not self._has_begun and (self._assignment.concurrent > 1 or not importing):
            self._begin()

    def _begin(self) -> None:
        self._has_begun = True
        self._since = time.monotonic()
        assignment = self._assignment
        self.worker.work(
            Work(
                task_file=assignment.task_file.resolve(),
                digest=assignment.task.identity.digest,
                seed=self.trial.seed,
                conditions=assignment.conditions,
                seconds=assignment.limits.seconds,
            )
        )

    def _take(self, answer: object, following: bytes) -> TrialOutcome | None:
        match answer:
            case Ready():
                if answer.code_version != self.trial.model.code_version:
                    return self._lost(Status.FAILED, SOURCE_CHANGED)
            case Happened():
                event = answer.event
                if event.kind is EventKind.PHASE:
                    self._phase = event.name
                elif event.kind is EventKind.EPOCH:
                    self._epochs, self._fit_seconds = event.epoch, event.seconds
                self._notify(event)
            case Refused():
                return self._lost(Status.FAILED, shortened(answer.message))
            case Ended():
                outcome = self._outcome(answer, following)
                if outcome.is_final:
                    self.worker.end()
                    return outcome
                self._ranked, self._is_told = outcome, False
        return None

    def _outcome(self, answer: Ended, content: bytes) -> TrialOutcome:
        record = answer.record
        self._check_identity(record)
        ranks = self._ranks(content) if content else None
        if record.status not in ((Status.FAILED, Status.OUT_OF_MEMORY) if ranks is None else (Status.DONE,)):
            raise MessageError(f"a record with the status {record.status} comes with {len(content):,} bytes of ranks")
        fields = {
            "start_seconds": self.worker.start_seconds,
            "concurrent_trials": self._assignment.concurrent,
            "imports_during_fit": self._imports_during_fit,
        }
        return TrialOutcome(record.model_copy(update=fields), ranks, is_final=answer.is_final)

    def _check_identity(self, record: Record) -> None:
        """Checks that a record is the trial's.

        Raises:
            MessageError: It is not.
        """
        assignment = self._assignment
        expected = identity(assignment.task, self.trial.model, self.trial.seed, assignment.conditions)
        for name in IDENTITY:
            if getattr(record, name) != expected[name]:
                raise MessageError(f"the field {name!r} of its record is another trial's")

    def _ranks(self, content: bytes) -> TrialRanks:
        n_cases = self._assignment.task.n_cases
        try:
            ranks = ranks_from_bytes(content, n_cases)
        except (ValueError, KeyError) as error:
            raise MessageError(f"the ranks cannot be read ({shortened(str(error))})") from None
        if len(ranks.candidates) != n_cases:
            raise MessageError(f"the ranks are of {len(ranks.candidates):,} cases, and the task has {n_cases:,}")
        return ranks

    def _died(self) -> TrialOutcome:
        code = self.worker.end()
        if code == PIPE_CLOSED:
            return self._lost(Status.FAILED, HAS_CLOSED_PIPE)
        how, name = describe_ending(code)
        if name is None:
            return self._lost(Status.FAILED, f"its process ended with {how} before the trial was over")
        hint = " (the system does this when memory runs out)" if name == "SIGKILL" else ""
        return self._lost(Status.FAILED, f"its process was ended by {name}{hint}", signal_name=name)

    def _check_limits(self, now: float) -> TrialOutcome | None:
        limits = self._assignment.limits
        if self.worker.answers_pipe.ended:
            self._pipe_ended = self._pipe_ended or now
            # A process that ends closes its pipe a little earlier.
            if now - self._pipe_ended > SECONDS_AFTER_PIPE:
                return self._lost(Status.FAILED, HAS_CLOSED_PIPE)
        is_waiting = self.worker.ready is not None and not self._has_begun
        if limits.seconds is not None and now - self._since > limits.seconds and not is_waiting:
            self.worker.say_where()
            return self._lost(Status.TIMED_OUT, f"took longer than {limits.seconds:g} s")
        if (excess := self.worker.beyond_memory()) is not None:
            return self._lost(Status.OUT_OF_MEMORY, excess)
        return None

    def _lost(self, status: Status, what: str, signal_name: str | None = None) -> TrialOutcome:
        """Makes the record of a trial whose process cannot make one, or not the one of its last parts."""
        # Early, for the tail of the log and the memory are what they were.
        self.worker.end()
        where = f"in {self._phase}" + (f", after epoch {self._epochs}" if self._epochs else "")
        if self._ranked is not None and self._ranked.ranks is not None:
            lost = "serving_error" if self._phase == "serving" else "catalogue_error"
            record = self._ranked.record.model_copy(update={lost: f"{what}; {where}"})
            return TrialOutcome(record, self._ranked.ranks)
        assignment = self._assignment
        fields = identity(assignment.task, self.trial.model, self.trial.seed, assignment.conditions)
        if self.worker.ready is not None:
            fields["environment"] = self.worker.ready.environment
        record = Record(
            **fields,
            status=status,
            error=f"{what}; {where}",
            signal=signal_name,
            output_tail=self.worker.output_tail(),
            epochs=self._epochs,
            fit_seconds=self._fit_seconds or None,
            start_seconds=self.worker.start_seconds or None,
            process_peak_rss_bytes=self.worker.peak_bytes or None,
            concurrent_trials=assignment.concurrent,
            imports_during_fit=self._imports_during_fit,
            repeatable=None,
        )
        return TrialOutcome(record, None)
