"""A model whose best hyper-parameters are known, and what runs its trials in the tests' own process."""

from dataclasses import replace
from pathlib import Path

from recbench.registry.hyperparameters import import_and_configure
from recbench.registry.models import ModelReference, Origin
from recbench.registry.requested import RequestedModel
from recbench.tasks.tuning_task import tuning_task
from recbench.trials.conditions import Conditions
from recbench.trials.events import TICK, Event, EventKind, ignore
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import PlannedModel
from recbench.trials.trial import run_trial
from recbench.tuning.objective import NDCG_AT_10, curve_epochs, longest
from recbench.tuning.spaces import ModelSpace, Range
from recbench.tuning.study import Study
from recbench.tuning.tuner import Tuner

SOURCE = '''
import numpy as np


class Known:
    """Best with good = 0.7, after 3 epochs."""

    def __init__(self, good: float = 0.2, epochs: int = 6, fails_above: float = 9.0, pretraining: int = 0):
        self.good, self.epochs, self.fails_above, self.pretraining = good, epochs, fails_above, pretraining

    def fit(self, train, context):
        self.base = np.log1p(np.bincount(train.items, minlength=train.n_items))
        for epoch in range(1 - self.pretraining, self.epochs + 1):
            self.noise = abs(self.good - 0.7) + 0.1 * abs(epoch - 3)
            if self.good > self.fails_above:
                raise RuntimeError(f"good is {self.good:.2f}")
            if not context.end_epoch():
                break

    def score(self, users, items):
        noise = (users[:, None] * 7919 + items * 104729) % 1009 / 1009
        return self.base[items] + 4 * self.noise * noise
'''
SPACE = {"good": Range(low=0.0, high=1.0), "epochs": Range(low=4, high=10, integer=True)}


class Replayed:
    """A ``Runner`` that runs a trial here, and then sends the events that a process would have sent."""

    def __init__(self, task, conditions, notify, is_wanted, interrupted):
        self.task, self.conditions, self.interrupted = task, conditions, interrupted
        self.notify, self.wanted = notify, is_wanted

    def run(self, trials, folder):
        for trial in trials:
            sent = []
            outcome = self.outcome(trial, sent)
            for event in sent:
                self.notify(replace(event, trial=trial))
                self.notify(TICK)
            if self.interrupted():
                raise KeyboardInterrupt
            if self.wanted(trial):
                yield trial, outcome

    def outcome(self, trial, sent):
        configuration = import_and_configure(trial.model.requested)
        return run_trial(self.task, configuration, trial.seed, self.conditions, sent.append)

    def close(self):
        pass


class Together(Replayed):
    """The same for several trials at a time, of which each is told of in turn.

    Trials of the numbers ``lost`` lose their worker when all is told but their end, and are begun again.
    """

    def __init__(self, task, conditions, notify, is_wanted, interrupted, at_a_time, lost):
        super().__init__(task, conditions, notify, is_wanted, interrupted)
        self.at_a_time, self.lost = at_a_time, set(lost)

    def run(self, trials, folder):
        coming, running = iter(trials), []
        while True:
            while len(running) < self.at_a_time and (trial := next(coming, None)) is not None:
                sent = []
                running.append((trial, self.outcome(trial, sent), sent, [*sent]))
            if not running:
                return
            for job in list(running):
                trial, outcome, every, left = job
                if left:
                    self.notify(replace(left.pop(0), trial=trial))
                elif trial.number in self.lost:
                    self.lost.remove(trial.number)
                    self.notify(Event(EventKind.LOST, trial=trial))
                    left.extend(every)
                    continue
                self.notify(TICK)
                if self.interrupted():
                    raise KeyboardInterrupt
                if not self.wanted(trial):
                    running.remove(job)
                elif not left and trial.number not in self.lost:
                    running.remove(job)
                    yield trial, outcome


def known_model(folder: Path, **texts: str) -> PlannedModel:
    path = folder / "known.py"
    if not path.exists():
        path.write_text(SOURCE)
    requested = RequestedModel(ModelReference("Known", f"{path}:Known", Origin.FILE), texts)
    configuration = import_and_configure(requested)
    return PlannedModel(requested, configuration.parameters, configuration.code_version)


def a_study(folder, model, space=SPACE, seed=0, known=(), **identity):
    same = {"task digest": "sha256:0", "source of the model": str(model.code_version), **identity}
    most = longest(space, model.parameters)
    where = ModelSpace(space, tuple(known))
    return Study(folder / "trials.db", model.name, same, where, model.parameters, seed, most)


def tuned(
    task,
    folder,
    budget,
    model=None,
    study=None,
    space=SPACE,
    seed=0,
    interrupted=lambda: False,
    at_a_time=1,
    lost=(),
    objective=NDCG_AT_10,
):
    """Tunes the model in this process; returns the trials that are over."""
    model = model or known_model(folder)
    study = study or a_study(folder, model, space, seed)
    seen = tuning_task(task)

    def start(conditions, notify, is_wanted):
        if at_a_time == 1:
            return Replayed(seen, conditions, notify, is_wanted, interrupted)
        return Together(seen, conditions, notify, is_wanted, interrupted, at_a_time, lost)

    tuner = Tuner(
        TaskFacts.of(seen),
        start,
        seed,
        budget,
        folder,
        ignore,
        objective=objective,
    )
    curve = curve_epochs(longest(space, model.parameters), objective)
    conditions = Conditions(
        ks=(10,), curve=curve, curve_measure=objective.curve_measure, catalogue=objective.full_ranking
    )
    tuner.tune(study, model, conditions)
    return study.past()
