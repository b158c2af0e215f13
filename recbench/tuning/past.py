"""The trials of a tuning that are over, and the budget that they use up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recbench.records.tuned_settings import ConfigurationOrigin, SettingValue, TrialCounts


class End(StrEnum):
    """How a trial of a tuning ended; see ``TrialCounts``."""

    COMPLETED = "completed"
    PRUNED = "pruned"
    FAILED = "failed"
    OUT_OF_TIME = "out-of-time"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that a trial ran with, as in its record."""

    recbench: str
    python: str
    packages: dict[str, str]


@dataclass(frozen=True, slots=True)
class SoFar:
    """What the event that a model's tuning begins tells.

    Attributes:
        past: Its trials that are over.
        label: What tables call the objective.
    """

    past: "list[PastTrial]"
    label: str


@dataclass(frozen=True, slots=True)
class PastTrial:
    """A trial that is over.

    Attributes:
        number: From 0, in the order in which they began.
        end: How it ended.
        parameters: The hyper-parameters that were tried; the others had their defaults.
        seconds: What it took, without the start of its process and the import.
        score: The objective after its best epoch; None if it was never scored.
        last_score: The objective at the end of its training; None unless completed.
        best_epochs: The value of ``epochs`` that trains for as long as the best epoch; None where the model has no
            such parameter.
        epochs: Passes that it trained.
        planned_epochs: Passes that it would have trained; None where that is not known.
        error: What went wrong, if it failed.
        log: What its process printed, if it failed.
        versions: What it ran with; None unless completed.
        began: When, in UTC.
        origin: Where its configuration comes from; None in older storages.
        known_source: Where its configuration was found, if it is a known one.
        joules: Energy of the processors meanwhile; None where it is not known.
    """

    number: int
    end: End
    parameters: dict[str, SettingValue]
    seconds: float
    score: float | None = None
    last_score: float | None = None
    best_epochs: int | None = None
    epochs: int = 0
    planned_epochs: int | None = None
    error: str = ""
    log: str = ""
    versions: Versions | None = None
    began: datetime | None = None
    origin: ConfigurationOrigin | None = None
    known_source: str | None = None
    joules: float | None = None

    @property
    def saved_seconds(self) -> float:
        """Estimate of what its pruning saved: the rest of its epochs, at the pace of those before."""
        if self.end is not End.PRUNED or not self.epochs or self.planned_epochs is None:
            return 0.0
        return self.seconds / self.epochs * max(self.planned_epochs - self.epochs, 0)


@dataclass(frozen=True, slots=True)
class Budget:
    """What each model may use up, over all sessions of its tuning.

    Attributes:
        trials: Trials; interrupted ones do not count, for they are tried again.
        seconds: Seconds of trials, interrupted ones included, without starts of processes and imports.
    """

    trials: int
    seconds: float

    def seconds_left(self, past: Sequence[PastTrial], running: Sequence[float] = ()) -> float:
        """Returns what remains, given the trials that are over and what the running ones have taken so far."""
        return self.seconds - spent(past) - sum(running)

    def allows_another(self, past: Sequence[PastTrial], running: Sequence[float]) -> bool:
        """Whether one more trial may begin."""
        return counts(past).ended + len(running) < self.trials and self.seconds_left(past, running) > 0


def counts(past: Sequence[PastTrial]) -> TrialCounts:
    """Counts the trials by their ends."""
    ends = Counter(trial.end.replace("-", "_") for trial in past)
    return TrialCounts(**ends)


def spent(past: Sequence[PastTrial]) -> float:
    """Returns the seconds of all trials."""
    return sum(trial.seconds for trial in past)


def joules_spent(past: Sequence[PastTrial]) -> float | None:
    """Returns the joules of all trials; None if those of any trial that took time are not known."""
    timed = [trial.joules for trial in past if trial.seconds]
    known = [joules for joules in timed if joules is not None]
    return sum(known) if known and len(known) == len(timed) else None


def best_scores(past: Sequence[PastTrial], most: int) -> tuple[float, ...]:
    """Returns the highest scores of completed trials, the highest first."""
    scores = [trial.score for trial in past if trial.end is End.COMPLETED and trial.score is not None]
    return tuple(sorted(scores, reverse=True)[:most])


def best(past: Sequence[PastTrial]) -> PastTrial | None:
    """Returns the completed trial of the highest score, the first of several; None if none was completed."""
    completed = [trial for trial in past if trial.end is End.COMPLETED and trial.score is not None]
    return max(completed, key=lambda trial: trial.score or 0.0, default=None)
