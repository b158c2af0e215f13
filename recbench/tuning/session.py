"""One model's tuning while it goes on: asks for its trials, and ends those that fall behind or run out of time."""

from collections.abc import Iterator
from typing import Protocol

from optuna.trial import Trial

from recbench.records.finished_trial import FinishedTrial
from recbench.records.interruption import uninterrupted
from recbench.records.schema import CurvePoint
from recbench.registry.requested import RequestedModel
from recbench.registry.settings_used import as_text
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.tuning.objective import OBJECTIVE
from recbench.tuning.past import Budget, End, PastTrial
from recbench.tuning.running import RunningTrial
from recbench.tuning.study import Study

SECONDS_BETWEEN_NOTES = 2.0


class TuningObserver(Protocol):
    """Is told how a tuning goes."""

    def trial_starts(self, number: int, epochs: int | None, worker: str | None) -> None:
        """A trial begins, of so many epochs if that is known, on a worker of a cluster or on this machine."""
        ...

    def epoch(self, number: int, epoch: int) -> None:
        """A trial's pass over the train rows is done."""
        ...

    def trial_ends(self, past: PastTrial) -> None:
        """A trial is over."""
        ...

    def tick(self) -> None:
        """Time has passed."""
        ...


class Session:
    """The ``RunObserver`` of one model's trials, one or several at a time.

    Args:
        study: Of the model.
        model: The model with its defaults.
        seed: Of every training.
        budget: What its trials may take together, those of earlier sessions included.
        observer: Is told how it goes.
    """

    def __init__(self, study: Study, model: PlannedModel, seed: int, budget: Budget, observer: TuningObserver) -> None:
        self._study, self._model, self._seed = study, model, seed
        self._budget, self._observer = budget, observer
        self._past = study.past()
        self._running: dict[str, RunningTrial] = {}

    def trials(self) -> Iterator[PlannedTrial]:
        """Yields what to try next, as long as the budget is not used up by what ran and what runs."""
        while True:
            # So that a trial that was asked for is one that runs, and can be interrupted.
            with uninterrupted():
                if not self._budget.allows_another(self._past, self._seconds()):
                    return
                trial = self._study.ask()
                planned = self._plan(trial)
                self._running[planned.label] = RunningTrial(trial, planned)
            yield planned

    def running(self, trial: PlannedTrial) -> RunningTrial:
        """Returns how far a trial has come."""
        return self._running[trial.label]

    def end(self, trial: PlannedTrial, past: PastTrial) -> None:
        """Ends a trial."""
        with uninterrupted():
            self._study.end(self._running[trial.label].trial, past)
            del self._running[trial.label]
            self._past.append(past)
        self._observer.trial_ends(past)

    def interrupt(self) -> None:
        """Ends all trials, and lets them be tried again."""
        with uninterrupted():
            while self._running:
                label, running = next(iter(self._running.items()))
                self._study.interrupt(running.trial, running.seconds)
                del self._running[label]

    def importing(self, model: str) -> None:
        """Is nothing to be told: every trial imports."""

    def planned(self, trials: int, kept: int, n_train: int) -> None:
        """Is not called: nobody knows how many there will be."""

    def trial_starts(self, trial: PlannedTrial, worker: str | None = None) -> None:
        """Passes it on."""
        running = self._running[trial.label]
        self._observer.trial_starts(running.trial.number, running.planned_epochs, worker)

    def trial_lost(self, trial: PlannedTrial) -> None:
        """Stops its clock, until it has been begun again."""
        if self.wanted(trial):
            self._running[trial.label].stop_clock()

    def phase(self, trial: PlannedTrial, name: str) -> None:
        """Starts the clock when the import is over."""
        if name != "import" and self.wanted(trial):
            self._running[trial.label].start_clock()

    def epoch(self, trial: PlannedTrial, epoch: int, loss: float | None, seconds: float) -> None:  # noqa: ARG002
        """Passes it on."""
        if self.wanted(trial):
            self._observer.epoch(self._running[trial.label].trial.number, epoch)

    def progress(self, trial: PlannedTrial, done: int, total: int) -> None:
        """Is of the whole catalogue, which a tuning does not rank."""

    def point(self, trial: PlannedTrial, point: CurvePoint) -> None:
        """Ends the trial if it falls behind."""
        if not self.wanted(trial) or not (running := self._running[trial.label]).is_further(point.epoch):
            return
        score = point.metrics[OBJECTIVE]
        running.scored(point.epoch, score)
        if self._study.told(running.trial, score, point.epoch) and running.has_more_to_train:
            self.end(trial, running.past(End.PRUNED))

    def wanted(self, trial: PlannedTrial) -> bool:
        """Whether the trial has not been ended."""
        return trial.label in self._running

    def trial_ends(self, trial: PlannedTrial, stored: FinishedTrial) -> None:
        """Is not called: there is no record on disk."""

    def tick(self) -> None:
        """Ends all trials if the time is over."""
        if self._running and self._budget.seconds_left(self._past, self._seconds()) < 0:
            for running in list(self._running.values()):
                self.end(running.planned, running.past(End.OUT_OF_TIME))
        for running in self._running.values():
            if running.seconds - running.noted > SECONDS_BETWEEN_NOTES:
                running.noted = running.seconds
                self._study.note_seconds(running.trial, running.noted)
        self._observer.tick()

    def _plan(self, trial: Trial) -> PlannedTrial:
        parameters = {**self._model.parameters, **trial.params}
        wanted = RequestedModel(self._model.reference, {name: as_text(value) for name, value in trial.params.items()})
        return PlannedTrial(PlannedModel(wanted, parameters, self._model.code_version), self._seed, trial.number)

    def _seconds(self) -> list[float]:
        return [running.seconds for running in self._running.values()]
