"""Runs the trials of one model's tuning until its budget is used up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.records.schema import Status
from recbench.runners.base import Runner
from recbench.runners.processes.supervision import SOURCE_CHANGED
from recbench.trials.conditions import Conditions, TrialOutcome
from recbench.trials.energy import EnergyMeter
from recbench.trials.events import IsWanted, Notify
from recbench.trials.identity import TaskFacts
from recbench.trials.logs import log_path
from recbench.trials.planned import PlannedModel
from recbench.tuning.objective import NDCG_AT_10, Objective, score_of
from recbench.tuning.past import Budget, End, PastTrial, Versions
from recbench.tuning.session import Session
from recbench.tuning.study import Study


class Tuner:
    """Tunes models on one task.

    Args:
        task: The task without test cases, which trials are run on.
        start: Makes a runner of trials under the conditions.
        seed: Of every training.
        budget: Of each model.
        folder: Where trials' logs go.
        notify: Receives the events of the trials.
        meter: Measures the energy of the machine that runs the trials; None if others run them.
        objective: What is maximised.
    """

    def __init__(
        self,
        task: TaskFacts,
        start: Callable[[Conditions, Notify, IsWanted], Runner],
        seed: int,
        budget: Budget,
        folder: Path,
        notify: Notify,
        meter: EnergyMeter | None = None,
        objective: Objective = NDCG_AT_10,
    ) -> None:
        self._task, self._start, self._seed = task, start, seed
        self._budget, self._folder, self._notify, self._meter = budget, folder, notify, meter
        self._objective = objective

    def tune(self, study: Study, model: PlannedModel, conditions: Conditions) -> None:
        """Runs trials until the budget is used up; finished trials of all sessions count.

        Raises:
            RecbenchError: The model's source changed meanwhile, a file cannot be written, or a cluster is lost.
            KeyboardInterrupt: The running trials can be tried again.
        """
        session = Session(study, model, self._seed, self._budget, self._notify, self._meter, self._objective)
        runner = self._start(conditions, session.on_event, session.is_running)
        try:
            for planned, outcome in runner.run(session.trials(), self._folder):
                if not outcome.is_final:
                    continue
                # What it printed tells why it failed.
                log = log_path(self._folder / f"{planned.stem(self._task.identity, conditions)}.json")
                running = session.running(planned)
                session.end(planned, _ended(running.past(End.FAILED), outcome, str(log), self._objective))
        except BaseException:
            session.interrupt()
            raise
        finally:
            runner.close()


def _ended(failed: PastTrial, outcome: TrialOutcome, log: str, objective: Objective) -> PastTrial:
    """Returns what is kept of a trial that nobody cut short."""
    record = outcome.record
    past = replace(failed, score=None, epochs=record.epochs)
    if record.status is Status.DONE and outcome.ranks is not None:
        last = objective.of(outcome.ranks)
        if last is None:
            return replace(past, error=f"full ranking: {record.catalogue_error}", log=log)
        trial_score = score_of(record, last, objective)
        return replace(
            past,
            end=End.COMPLETED,
            score=trial_score.score,
            last_score=trial_score.last_score,
            best_epochs=trial_score.epochs,
            versions=Versions(record.recbench_version, record.environment.python, record.environment.packages),
        )
    error = (record.error_with_place or "no reason is known").splitlines()[0]
    if error.startswith(SOURCE_CHANGED):
        raise RecbenchError(
            f"The source of {record.model!r} has changed since its tuning began.",
            "Trials of different code cannot be compared. Restore the earlier code to resume, or start again with "
            "another --storage. The workers of a cluster need the same source.",
        )
    return replace(past, error=f"{record.status}: {error}", log=log)
