"""How far a running trial of a tuning has come."""

import time

from optuna.trial import Trial

from recbench.records.tuned_settings import ConfigurationOrigin
from recbench.trials.planned import PlannedTrial
from recbench.tuning.objective import EPOCHS
from recbench.tuning.past import End, PastTrial
from recbench.tuning.study import KNOWN_SOURCE, ORIGIN


class RunningTrial:
    """A running trial, and what is known of it so far.

    Args:
        trial: Optuna's.
        planned: What is run.

    Attributes:
        trial: The same.
        planned: The same.
        planned_epochs: Passes that it will train; None where that is not known.
        score: The best score so far.
        epochs: Passes after which it was scored last.
        noted: Its seconds when they were noted last.
        joules: The energy of the processors so far; None where it is not known.
    """

    def __init__(self, trial: Trial, planned: PlannedTrial) -> None:
        self.trial, self.planned = trial, planned
        epochs = planned.model.parameters.get(EPOCHS)
        self.planned_epochs = epochs if isinstance(epochs, int) else None
        self.score: float | None = None
        self.epochs = 0
        self.noted = 0.0
        self.joules: float | None = 0.0
        self._before = 0.0
        self._began: float | None = None

    @property
    def seconds(self) -> float:
        """What it has taken, without starts of its processes and imports; on lost workers as well."""
        return self._before + (0.0 if self._began is None else time.monotonic() - self._began)

    @property
    def is_timed(self) -> bool:
        """Whether its clock runs."""
        return self._began is not None

    def start_clock(self) -> None:
        """Starts the clock, unless it runs."""
        if self._began is None:
            self._began = time.monotonic()

    def stop_clock(self) -> None:
        """Stops the clock."""
        self._before, self._began = self.seconds, None

    def use_energy(self, joules: float | None) -> None:
        """Takes in a share of energy; if one is not known, their sum is not."""
        self.joules = None if joules is None or self.joules is None else self.joules + joules

    def is_further(self, epoch: int) -> bool:
        """Whether it had not been scored after this epoch: begun again on another worker, it was."""
        return epoch > self.epochs

    @property
    def has_more_to_train(self) -> bool:
        """Whether it may be cut short: one that has trained all it was to train is whole, however it did."""
        return self.epochs < (self.planned_epochs or 1)

    def scored(self, epoch: int, score: float) -> None:
        """Takes in a score."""
        self.epochs = epoch
        self.score = score if self.score is None else max(self.score, score)

    def past(self, end: End) -> PastTrial:
        """Returns what is kept of it if it ends now."""
        attributes = self.trial.user_attrs
        return PastTrial(
            self.trial.number,
            end,
            dict(self.trial.params),
            self.seconds,
            score=self.score,
            epochs=self.epochs,
            planned_epochs=self.planned_epochs,
            origin=ConfigurationOrigin(attributes[ORIGIN]),
            known_source=attributes.get(KNOWN_SOURCE),
            joules=self.joules,
        )
