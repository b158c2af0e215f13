"""Whoever watches a run: told of each trial as it goes, and asked whether it shall go on."""

from typing import Protocol

from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import CurvePoint
from recbench.trials.planned import PlannedTrial


class RunObserver(Protocol):
    """Is told how a run goes."""

    def importing(self, model: str) -> None:
        """A model's module is about to be imported."""
        ...

    def planned(self, trials: int, kept: int, n_train: int) -> None:
        """So many trials are planned, of which so many are there already; each pass has so many train rows."""
        ...

    def trial_starts(self, trial: PlannedTrial, worker: str | None = None) -> None:
        """A trial begins, on a worker of a cluster or on this machine."""
        ...

    def phase(self, trial: PlannedTrial, name: str) -> None:
        """See ``Observer.phase``."""
        ...

    def epoch(self, trial: PlannedTrial, epoch: int, loss: float | None, seconds: float) -> None:
        """See ``Observer.epoch``."""
        ...

    def progress(self, trial: PlannedTrial, done: int, total: int) -> None:
        """See ``Observer.progress``."""
        ...

    def point(self, trial: PlannedTrial, point: CurvePoint) -> None:
        """See ``Observer.point``."""
        ...

    def trial_lost(self, trial: PlannedTrial) -> None:
        """The trial's worker has disappeared: it is begun again on another one."""
        ...

    def wanted(self, trial: PlannedTrial) -> bool:
        """Whether a trial shall go on; once it shall not, it is ended and not heard of again."""
        ...

    def trial_ends(self, trial: PlannedTrial, stored: FinishedTrial) -> None:
        """A trial's record is written."""
        ...

    def tick(self) -> None:
        """Time has passed."""
        ...


class Watching:
    """The ``Observer`` of one trial, that tells a run's.

    Args:
        observer: Whom to tell.
        trial: Of what.
    """

    def __init__(self, observer: RunObserver, trial: PlannedTrial) -> None:
        self._observer = observer
        self._trial = trial

    def phase(self, name: str) -> None:
        """Passes it on."""
        self._observer.phase(self._trial, name)

    def epoch(self, epoch: int, loss: float | None, seconds: float) -> None:
        """Passes it on."""
        self._observer.epoch(self._trial, epoch, loss, seconds)

    def progress(self, done: int, total: int) -> None:
        """Passes it on."""
        self._observer.progress(self._trial, done, total)

    def point(self, point: CurvePoint) -> None:
        """Passes it on."""
        self._observer.point(self._trial, point)
