"""Whoever watches a tuning, and the watch over one of its trials."""

import time
from typing import Protocol

from optuna.trial import Trial

from recbench.records.schema import CurvePoint
from recbench.records.store import StoredRecord
from recbench.trials.plan import PlannedTrial
from recbench.trials.tuning.objective import OBJECTIVE
from recbench.trials.tuning.past import End, PastTrial
from recbench.trials.tuning.study import Study

SECONDS_BETWEEN_NOTES = 2.0


class TuningObserver(Protocol):
    """Is told how a tuning goes."""

    def trial_starts(self, number: int, epochs: int | None) -> None:
        """A trial begins, of so many epochs if that is known."""
        ...

    def epoch(self, epoch: int) -> None:
        """A pass over the train rows is done."""
        ...

    def trial_ends(self, past: PastTrial) -> None:
        """A trial is over."""
        ...

    def tick(self) -> None:
        """Time has passed."""
        ...


class CutShortError(Exception):
    """A trial is to end now."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end


class TrialWatch:
    """The ``RunObserver`` of one trial, that ends it when it falls behind or its time is over.

    Attributes:
        began: When its process was ready to work; None before.
        score: The best score so far.
        epochs: Passes so far.
    """

    def __init__(
        self, study: Study, trial: Trial, planned_epochs: int | None, seconds: float, observer: TuningObserver
    ) -> None:
        self._study, self._trial, self._most, self._observer = study, trial, seconds, observer
        # A trial that has trained all it was to train is not cut short, even if it ends behind the others.
        self._last_epoch = planned_epochs or 1
        self._noted = 0.0
        self.began: float | None = None
        self.score: float | None = None
        self.epochs = 0

    @property
    def seconds(self) -> float:
        """What the trial has taken, without the start of its process and the import."""
        return 0.0 if self.began is None else time.monotonic() - self.began

    def importing(self, model: str) -> None:
        """Is nothing to be told: every trial imports."""

    def planned(self, trials: int, kept: int, n_train: int) -> None:
        """Is not called for a single trial."""

    def trial_starts(self, trial: PlannedTrial, worker: str | None = None) -> None:
        """Is told by the tuner, which knows the number."""

    def phase(self, trial: PlannedTrial, name: str) -> None:  # noqa: ARG002
        """Starts the clock when the import is over."""
        if name != "import" and self.began is None:
            self.began = time.monotonic()

    def epoch(self, trial: PlannedTrial, epoch: int, loss: float | None, seconds: float) -> None:  # noqa: ARG002
        """Passes it on."""
        self._observer.epoch(epoch)

    def progress(self, trial: PlannedTrial, done: int, total: int) -> None:
        """Is of the whole catalogue, which a tuning does not rank."""

    def point(self, trial: PlannedTrial, point: CurvePoint) -> None:  # noqa: ARG002
        """Ends the trial if it falls behind."""
        self.epochs = point.epoch
        score = point.metrics[OBJECTIVE]
        self.score = score if self.score is None else max(self.score, score)
        if self._study.told(self._trial, score, point.epoch) and point.epoch < self._last_epoch:
            raise CutShortError(End.PRUNED)

    def trial_ends(self, trial: PlannedTrial, stored: StoredRecord) -> None:
        """Is not called: there is no record on disk."""

    def tick(self) -> None:
        """Ends the trial if its time is over."""
        if self.seconds > self._most:
            raise CutShortError(End.OUT_OF_TIME)
        if self.seconds - self._noted > SECONDS_BETWEEN_NOTES:
            self._noted = self.seconds
            self._study.note_seconds(self._trial, self._noted)
        self._observer.tick()
