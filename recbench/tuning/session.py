"""One model's tuning while it goes on: asks for its trials, and ends those that fall behind or run out of time."""

from collections.abc import Iterator

from optuna.trial import Trial

from recbench.records.interruption import uninterrupted
from recbench.records.schema import CurvePoint
from recbench.registry.parameter_values import as_text
from recbench.registry.requested import RequestedModel
from recbench.trials.energy import EnergyMeter
from recbench.trials.events import TICK, Event, EventKind, Notify
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.tuning.objective import NDCG_AT_10, Objective
from recbench.tuning.past import Budget, End, PastTrial
from recbench.tuning.running_trial import RunningTrial
from recbench.tuning.study import Study

SECONDS_BETWEEN_NOTES = 2.0


class Session:
    """One model's trials, one or several at a time.

    Args:
        study: Of the model.
        model: The model with its defaults.
        seed: Of every training.
        budget: What its trials may take together, those of earlier sessions included.
        notify: Receives the events of the trials; the result of a trial that has ended is a ``PastTrial``.
        meter: Measures the energy of the machine that runs the trials; None if others run them.
        objective: What is maximised.
    """

    def __init__(
        self,
        study: Study,
        model: PlannedModel,
        seed: int,
        budget: Budget,
        notify: Notify,
        meter: EnergyMeter | None = None,
        objective: Objective = NDCG_AT_10,
    ) -> None:
        self._study, self._model, self._seed = study, model, seed
        self._budget, self._notify, self._meter, self._objective = budget, notify, meter, objective
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
        self._share_energy()
        with uninterrupted():
            self._study.end(self._running[trial.label].trial, past)
            del self._running[trial.label]
            self._past.append(past)
        self._notify(Event(EventKind.ENDED, trial=trial, result=past))

    def interrupt(self) -> None:
        """Ends all trials, and lets them be tried again."""
        self._share_energy()
        with uninterrupted():
            while self._running:
                label, running = next(iter(self._running.items()))
                self._study.interrupt(running.trial, running.seconds, running.joules)
                del self._running[label]

    def on_event(self, event: Event) -> None:
        """Follows the trials: keeps their clocks, prunes those that fall behind, and passes on what shows progress."""
        if event.kind is EventKind.TICK:
            self._tick()
        elif event.trial is not None and self.is_running(event.trial):
            running = self._running[event.trial.label]
            match event.kind:
                case EventKind.LOST:
                    running.stop_clock()
                case EventKind.PHASE if event.name != "import":
                    # An import costs no budget.
                    self._share_energy()
                    running.start_clock()
                case EventKind.POINT if event.point is not None:
                    self._score(running, event.point)
                case EventKind.STARTED | EventKind.MEMORY | EventKind.EPOCH:
                    self._notify(event)

    def is_running(self, trial: PlannedTrial) -> bool:
        """Whether the trial has not been ended."""
        return trial.label in self._running

    def _score(self, running: RunningTrial, point: CurvePoint) -> None:
        """Takes in a score, and ends the trial if it falls behind."""
        if not running.is_further(point.epoch):
            return
        score = point.metrics[self._objective.metric]
        running.scored(point.epoch, score)
        if self._study.falls_behind(running.trial, score, point.epoch) and running.has_more_to_train:
            self.end(running.planned, running.past(End.PRUNED))

    def _tick(self) -> None:
        """Ends all trials if the time is over."""
        if self._running and self._budget.seconds_left(self._past, self._seconds()) < 0:
            for running in list(self._running.values()):
                self.end(running.planned, running.past(End.OUT_OF_TIME))
        for running in self._running.values():
            if running.seconds - running.noted > SECONDS_BETWEEN_NOTES:
                self._share_energy()
                running.noted = running.seconds
                self._study.note_cost(running.trial, running.noted, running.joules)
        self._notify(TICK)

    def _share_energy(self) -> None:
        """Adds the energy since the last call to the trials whose clock runs, each with an equal share."""
        joules = None if self._meter is None else self._meter.since_last()
        timed = [running for running in self._running.values() if running.is_timed]
        for running in timed:
            running.use_energy(None if joules is None else joules / len(timed))

    def _plan(self, trial: Trial) -> PlannedTrial:
        parameters = {**self._model.parameters, **trial.params}
        requested = RequestedModel(
            self._model.reference, {name: as_text(value) for name, value in trial.params.items()}
        )
        return PlannedTrial(PlannedModel(requested, parameters, self._model.code_version), self._seed, trial.number)

    def _seconds(self) -> list[float]:
        return [running.seconds for running in self._running.values()]
