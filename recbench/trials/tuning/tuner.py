"""Runs the trials of one model's tuning until its budget is used up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from optuna.trial import Trial

from recbench.errors import RecbenchError
from recbench.records.schema import Record, Status
from recbench.trials.conditions import Conditions, Outcome
from recbench.trials.identity import TaskFacts
from recbench.trials.logs import log_path
from recbench.trials.plan import PlannedModel, PlannedTrial, WantedModel
from recbench.trials.run_observer import RunObserver
from recbench.trials.schedule import Runner
from recbench.trials.settings_used import as_text
from recbench.trials.supervision import SOURCE_CHANGED
from recbench.trials.tuning.objective import EPOCHS, judge
from recbench.trials.tuning.past import Budget, End, PastTrial, Versions
from recbench.trials.tuning.study import Study
from recbench.trials.tuning.watch import CutShortError, TrialWatch, TuningObserver


class Tuner:
    """Tunes models on one task.

    Args:
        task: The task without test cases, which trials are run on.
        start: Makes what runs a single trial under the conditions, telling an observer.
        seed: Of every training.
        budget: Of each model.
        folder: Where trials' logs go.
        observer: Is told how it goes.
    """

    def __init__(
        self,
        task: TaskFacts,
        start: Callable[[Conditions, RunObserver], Runner],
        seed: int,
        budget: Budget,
        folder: Path,
        observer: TuningObserver,
    ) -> None:
        self._task, self._start, self._seed = task, start, seed
        self._budget, self._folder, self._observer = budget, folder, observer

    def tune(self, study: Study, model: PlannedModel, conditions: Conditions) -> None:
        """Runs trials until the budget is used up; what ended before, in any session, counts.

        Raises:
            RecbenchError: The model's source changed meanwhile, or a file cannot be written.
            KeyboardInterrupt: The running trial can be tried again.
        """
        while (left := self._budget.seconds_left(study.past())) > 0:
            trial = study.ask()
            epochs = {**model.parameters, **trial.params}.get(EPOCHS)
            planned_epochs = epochs if isinstance(epochs, int) else None
            watch = TrialWatch(study, trial, planned_epochs, left, self._observer)
            try:
                past = self._run(trial, watch, model, planned_epochs, conditions)
            except BaseException:
                study.interrupt(trial, watch.seconds)
                raise
            study.end(trial, past)
            self._observer.trial_ends(past)

    def _run(
        self,
        trial: Trial,
        watch: TrialWatch,
        model: PlannedModel,
        planned_epochs: int | None,
        conditions: Conditions,
    ) -> PastTrial:
        parameters = {**model.parameters, **trial.params}
        wanted = WantedModel(model.reference, {name: as_text(value) for name, value in trial.params.items()})
        planned = PlannedTrial(PlannedModel(wanted, parameters, model.code_version), self._seed)
        self._observer.trial_starts(trial.number, planned_epochs)
        runner = self._start(conditions, watch)
        try:
            ((_, outcome),) = runner.run([planned], self._folder)
        except CutShortError as cut:
            return PastTrial(
                trial.number,
                cut.end,
                dict(trial.params),
                watch.seconds,
                score=watch.score,
                epochs=watch.epochs,
                planned_epochs=planned_epochs,
            )
        finally:
            runner.close()
        log = str(log_path(self._folder / f"{planned.stem(self._task.identity, conditions)}.json"))
        return _ended(trial, outcome, watch.seconds, planned_epochs, log)


def _ended(trial: Trial, outcome: Outcome, seconds: float, planned_epochs: int | None, log: str) -> PastTrial:
    record: Record = outcome.record
    past = PastTrial(
        trial.number, End.FAILED, dict(trial.params), seconds, epochs=record.epochs, planned_epochs=planned_epochs
    )
    if record.status is Status.DONE:
        found = judge(record)
        return replace(
            past,
            end=End.COMPLETED,
            score=found.score,
            last_score=found.last_score,
            best_epochs=found.epochs,
            versions=Versions(record.recbench_version, record.environment.python, record.environment.packages),
        )
    error = (record.error or "no reason is known").splitlines()[0]
    if error.startswith(SOURCE_CHANGED):
        raise RecbenchError(
            f"The source of {record.model!r} has changed since its tuning began.",
            "Trials of other code cannot be compared: put it back and go on, or begin anew with another --storage.",
        )
    return replace(past, error=f"{record.status}: {error}", log=log)
